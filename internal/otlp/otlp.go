// Package otlp sends how a run goes, while it goes on, to an OpenTelemetry
// collector: metrics in OTLP over HTTP, with OpenTelemetry's own SDK. It reads
// the rows that everybody reads who watches, so the run does not feel it; what
// cannot be sent is told once and changes nothing.
package otlp

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/loadline-ci/loadline/internal/live"
)

// Options say where to send what.
type Options struct {
	// Endpoint is the URL of the collector, such as http://127.0.0.1:4318; without
	// a path, /v1/metrics is meant, as the OTLP specification has it. Headers,
	// certificates and the like come from the SDK's own OTEL_ variables.
	Endpoint string
	Every    time.Duration // between two exports; 0: as the SDK's variables say
	Version  string        // loadline's own
	Label    string        // of the environment
	Instance string        // names this run among others of the same kind
	Failed   func(error)   // told of the first export that failed; may be nil
}

// exportTime is how long one export may take, and the last one at the end of a
// run.
const exportTime = 5 * time.Second

// A Sender sends the latest row now and then.
type Sender struct {
	provider *sdk.MeterProvider

	mu   sync.Mutex
	rows map[string]*live.Row // the latest, by side
}

// Check reports what is wrong with an endpoint, before anything is sent.
func Check(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is not the URL of an OTLP/HTTP collector: write it like http://127.0.0.1:4318", endpoint)
	}
	return nil
}

// New makes a Sender. It connects with its first export only.
func New(ctx context.Context, o Options) (*Sender, error) {
	if err := Check(o.Endpoint); err != nil {
		return nil, err
	}
	exporter, err := otlpmetrichttp.New(ctx,
		otlpmetrichttp.WithEndpointURL(metricsURL(o.Endpoint)), otlpmetrichttp.WithTimeout(exportTime))
	if err != nil {
		return nil, fmt.Errorf("making the exporter: %w", err)
	}
	res, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "loadline"), attribute.String("service.version", o.Version),
		attribute.String("service.instance.id", o.Instance), attribute.String("deployment.environment.name", o.Label),
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("describing this run: %w", err)
	}
	var periods []sdk.PeriodicReaderOption
	if o.Every > 0 {
		periods = append(periods, sdk.WithInterval(o.Every))
	}
	reader := sdk.NewPeriodicReader(&honest{Exporter: exporter, failed: o.Failed}, periods...)
	s := &Sender{provider: sdk.NewMeterProvider(sdk.WithReader(reader), sdk.WithResource(res)), rows: map[string]*live.Row{}}
	if err := s.instruments(s.provider.Meter("github.com/loadline-ci/loadline")); err != nil {
		return nil, fmt.Errorf("making the instruments: %w", err)
	}
	return s, nil
}

// metricsURL adds the path that the specification gives to metrics.
func metricsURL(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || strings.Trim(u.Path, "/") != "" {
		return endpoint
	}
	u.Path = "/v1/metrics"
	return u.String()
}

// Row keeps a row for the next export. It does not wait.
func (s *Sender) Row(row *live.Row) {
	if row.Phase != live.Load && row.Phase != live.Done {
		return
	}
	s.mu.Lock()
	s.rows[row.Arm] = row
	s.mu.Unlock()
}

// latest are the rows to export.
func (s *Sender) latest() []*live.Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*live.Row, 0, len(s.rows))
	for _, row := range s.rows {
		all = append(all, row)
	}
	return all
}

// Close exports what came last, and ends.
func (s *Sender) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTime)
	defer cancel()
	_ = s.provider.Shutdown(ctx) // what went wrong was told by the exporter
}

// honest is an exporter that tells of its first failure, and of no other: the SDK
// would pass each to a handler that the whole process shares.
type honest struct {
	sdk.Exporter
	once   sync.Once
	failed func(error)
}

// Export sends one set of metrics.
func (h *honest) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	if err := h.Exporter.Export(ctx, m); err != nil && h.failed != nil {
		h.once.Do(func() { h.failed(err) })
	}
	return nil
}
