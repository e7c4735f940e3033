package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/otlp"
)

// exportEvery is how often metrics are sent, unless the SDK's own variable says
// otherwise.
const exportEvery = 5 * time.Second

func addOTLP(fs *pflag.FlagSet, endpoint *string) {
	fs.StringVar(endpoint, "otlp", "", "send metrics to the OpenTelemetry collector at `URL` while the load runs, such as http://127.0.0.1:4318")
}

// sendMetrics sends what a hub publishes to a collector. sent is called when the
// hub is closed, and returns when the last of it was sent or could not be. Without
// an endpoint nothing is sent.
func sendMetrics(ctx context.Context, env *Env, hub *live.Hub, endpoint, label string) (sent func(), err error) {
	if endpoint == "" {
		return func() {}, nil
	}
	o := otlp.Options{
		Endpoint: endpoint, Every: exportEvery, Version: version(), Label: label, Instance: rand.Text(),
		Failed: func(err error) {
			fmt.Fprintf(env.Stderr, "loadline: warning: --otlp %s: metrics could not be sent (%v); the run goes on\n", bareURL(endpoint), err)
		},
	}
	if env.get("OTEL_METRIC_EXPORT_INTERVAL") != "" {
		o.Every = 0
	}
	s, err := otlp.New(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil, usagef("--otlp: %w", err)
	}
	stop := hub.Follow(s.Row)
	return func() {
		stop()
		s.Close(ctx)
	}, nil
}
