package otlp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/otlp"
)

// A receiver is the metrics service of the OTLP specification, behind the HTTP
// server that OpenTelemetry generates for it.
type receiver struct {
	collector.UnimplementedMetricsServiceServer
	mu  sync.Mutex
	got []*collector.ExportMetricsServiceRequest
}

// Export takes one request.
func (r *receiver) Export(_ context.Context, req *collector.ExportMetricsServiceRequest) (*collector.ExportMetricsServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, req)
	return &collector.ExportMetricsServiceResponse{}, nil
}

// points are the values of the last request, by metric and one attribute.
func (r *receiver) points(attribute string) map[string]map[string]float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]map[string]float64{}
	if len(r.got) == 0 {
		return all
	}
	for _, rm := range r.got[len(r.got)-1].GetResourceMetrics() {
		for _, sm := range rm.GetScopeMetrics() {
			for _, m := range sm.GetMetrics() {
				points := m.GetSum().GetDataPoints()
				if g := m.GetGauge(); g != nil {
					points = g.GetDataPoints()
				}
				all[m.GetName()] = valuesOf(points, attribute)
			}
		}
	}
	return all
}

func valuesOf(points []*metrics.NumberDataPoint, attribute string) map[string]float64 {
	values := map[string]float64{}
	for _, p := range points {
		key := ""
		for _, a := range p.GetAttributes() {
			if a.GetKey() == attribute {
				key = a.GetValue().GetStringValue()
			}
		}
		values[key] = p.GetAsDouble() + float64(p.GetAsInt())
	}
	return values
}

func newReceiver(t *testing.T) (*receiver, string) {
	t.Helper()
	r := &receiver{}
	mux := runtime.NewServeMux(runtime.WithMarshalerOption("application/x-protobuf", &runtime.ProtoMarshaller{}))
	if err := collector.RegisterMetricsServiceHandlerServer(t.Context(), mux, r); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return r, srv.URL
}

func row() *live.Row {
	return &live.Row{
		Phase: live.Load, Title: "shop", Asked: 50, Users: 7, InFlight: 3,
		Latency: live.Latency{P50: 1000, P95: 2000, P99: 3000},
		Total:   live.Total{Requests: 100, Started: 60, Dropped: 2, Checks: 5, Status: map[int]int64{200: 97, 503: 1}, Errors: map[string]int64{"timeout": 2}},
		Steps:   []live.Step{{Scenario: "s", Name: "GET /a", Total: 90, Bad: 1, Latency: live.Latency{P50: 5, P95: 6, P99: 7}}, {Scenario: "s", Name: "GET /b", Total: 10}},
		Health:  live.Health{CPUPercent: 25, LagP99us: 1500},
	}
}

// A collector must be told what the row says, in seconds and shares.
func TestACollectorIsToldTheRow(t *testing.T) {
	t.Parallel()
	r, url := newReceiver(t)
	s, err := otlp.New(t.Context(), otlp.Options{Endpoint: url, Every: time.Hour, Failed: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	s.Row(&live.Row{Phase: live.Waiting})
	s.Row(row())
	s.Close(t.Context())
	for _, want := range []struct {
		attribute, metric, key string
		value                  float64
	}{
		{"loadline.step", "loadline.requests", "GET /a", 90},
		{"loadline.step", "loadline.requests", "GET /b", 10},
		{"loadline.step", "loadline.requests.failed", "GET /a", 1},
		{"http.response.status_code", "loadline.responses", "200", 97},
		{"http.response.status_code", "loadline.responses", "503", 1},
		{"error.type", "loadline.errors", "timeout", 2},
		{"loadline.spec", "loadline.iterations", "shop", 60},
		{"loadline.spec", "loadline.iterations.dropped", "shop", 2},
		{"loadline.spec", "loadline.checks.failed", "shop", 5},
		{"loadline.spec", "loadline.users", "shop", 7},
		{"loadline.spec", "loadline.iterations.running", "shop", 3},
		{"loadline.spec", "loadline.rate.asked", "shop", 50},
		{"loadline.spec", "loadline.generator.cpu.utilization", "shop", 0.25},
		{"loadline.spec", "loadline.generator.lag", "shop", 0.0015},
	} {
		if got, ok := r.points(want.attribute)[want.metric][want.key]; !ok || got != want.value {
			t.Errorf("%s{%s=%q} is %g (there: %v), want %g", want.metric, want.attribute, want.key, got, ok, want.value)
		}
	}
	if n := len(r.points("quantile")["loadline.generator.cpu.steal"]); n != 0 {
		t.Error("stolen CPU that is unknown is sent as none")
	}
}

// Both sides of a paired run are sent, apart.
func TestSidesAreSentApart(t *testing.T) {
	t.Parallel()
	r, url := newReceiver(t)
	s, err := otlp.New(t.Context(), otlp.Options{Endpoint: url + "/v1/metrics", Every: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	base, head := row(), row()
	base.Arm, head.Arm, head.Users = "base", "head", 9
	s.Row(base)
	s.Row(head)
	s.Close(t.Context())
	if got := r.points("loadline.side")["loadline.users"]; got["base"] != 7 || got["head"] != 9 {
		t.Errorf("users by side are %v", got)
	}
}

// While a run goes on, exports follow each other.
func TestExportsFollowEachOther(t *testing.T) {
	t.Parallel()
	r, url := newReceiver(t)
	s, err := otlp.New(t.Context(), otlp.Options{Endpoint: url, Every: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s.Row(row())
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		r.mu.Lock()
		n := len(r.got)
		r.mu.Unlock()
		if n >= 3 {
			s.Close(t.Context())
			return
		}
	}
	t.Error("no three exports came")
}

// A collector that refuses is told of once, and ends nothing.
func TestARefusalIsToldOnce(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer srv.Close()
	var mu sync.Mutex
	told := 0
	s, err := otlp.New(t.Context(), otlp.Options{Endpoint: srv.URL, Every: 5 * time.Millisecond, Failed: func(error) {
		mu.Lock()
		defer mu.Unlock()
		told++
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Row(row())
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		mu.Lock()
		n := told
		mu.Unlock()
		if n > 0 {
			break
		}
	}
	s.Close(t.Context())
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

func TestEndpointsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", "localhost:4317", "grpc://127.0.0.1:4317", "http://", "::"} {
		if _, err := otlp.New(t.Context(), otlp.Options{Endpoint: endpoint}); err == nil {
			t.Errorf("%q is taken", endpoint)
		}
	}
}
