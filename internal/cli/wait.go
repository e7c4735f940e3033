package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/scenario"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/wire"
)

func waitCommand() command {
	return command{
		name:    "wait",
		args:    "URL",
		summary: "wait until a target answers, and runs the version that it should",
		example: "loadline wait http://127.0.0.1:8080/healthz --timeout 2m --version-header X-Commit --version 8a1e38d",
		flags: func(fs *pflag.FlagSet) runFunc {
			w := waiter{}
			fs.DurationVar(&w.timeout, "timeout", 5*time.Minute, "the longest to wait: `D`")
			fs.DurationVar(&w.every, "every", time.Second, "how often to ask: `D`, at least 100ms")
			fs.StringVar(&w.header, "version-header", "", "a `NAME` of a response header that says which commit or version answers")
			fs.StringVar(&w.version, "version", "", "the `VERSION` to wait for; a commit may be shortened to 7 digits on either side; default: the commit that CI is at")
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args, "URL"); err != nil {
					return ExitUsage, err
				}
				return w.run(ctx, env, args[0])
			}
		},
	}
}

// A waiter asks a target again and again.
type waiter struct {
	timeout, every  time.Duration
	header, version string // the version is not looked at when header is ""
	request         *wire.Request
	client          *wire.Client
}

// shortestWait keeps a target that comes up from being busy with saying that it
// is not there yet.
const shortestWait = 100 * time.Millisecond

func (w *waiter) run(ctx context.Context, env *Env, target string) (Exit, error) {
	var err error
	if w.request, err = getRequest(target); err != nil {
		return ExitUsage, err
	}
	switch {
	case w.timeout <= 0:
		return ExitUsage, usagef("--timeout %s: write a time such as 2m", w.timeout)
	case w.every < shortestWait:
		return ExitUsage, usagef("--every %s: write 100ms or more", w.every)
	case w.header == "" && w.version != "":
		return ExitUsage, usagef("--version needs --version-header: the name of the header that says it")
	case w.header != "" && w.version == "":
		if w.version = commitFromEnv(env); w.version == "" {
			return ExitUsage, usagef("--version is missing: which one is to answer?")
		}
	}
	w.client, err = wire.NewClient(wire.Options{
		Timeout: 10 * time.Second, UserAgent: "loadline/" + version(), Cookies: "off", Proxy: "env", Env: env.get,
		Hosts: []string{w.request.Host},
	})
	if err != nil {
		return ExitUsage, usageError{err}
	}
	defer w.client.Close()
	began := time.Now()
	if err := w.wait(ctx, w.ready); err != nil {
		return ExitInvalid, err
	}
	fmt.Fprintf(env.Stdout, "%s is ready after %s\n", bareURL(target), unit.Duration(time.Since(began)))
	return ExitPass, nil
}

// getRequest asks for a URL. Redirects are not followed: they may lead anywhere.
func getRequest(target string) (*wire.Request, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("%s is not a URL: write it like http://127.0.0.1:8080/healthz", shown(target))
	}
	return &wire.Request{Method: "GET", Scheme: u.Scheme, Host: u.Host, Path: u.RequestURI()}, nil
}

// wait asks until ok finds nothing missing in an answer, or the time is over; the
// error says what was missing last.
func (w *waiter) wait(ctx context.Context, ok func(*wire.Response) (missing string)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, w.timeout, errWaited)
	defer cancel()
	var last string
	for {
		missing := w.ask(ctx, ok)
		if missing == "" {
			return nil
		}
		if ctx.Err() == nil || last == "" { // what was cut off says nothing, unless it is all there is
			last = missing
		}
		select {
		case <-ctx.Done():
		case <-time.After(max(w.every, shortestWait)):
			continue
		}
		if context.Cause(ctx) != errWaited { //nolint:errorlint // it is that very value
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s; waited %s; see the target's log, or wait longer", last, unit.FormatDuration(w.timeout))
	}
}

var errWaited = fmt.Errorf("the time to wait is over")

// ask sends one request on a connection of its own: an old one may lead to the
// instance that is about to go.
func (w *waiter) ask(ctx context.Context, ok func(*wire.Response) string) (missing string) {
	session := w.client.NewSession()
	defer session.Close()
	var resp wire.Response
	session.Do(ctx, w.request, &resp)
	if resp.Err != nil {
		return fmt.Sprintf("target not ready: %s (LL10)", resp.Err)
	}
	return ok(&resp)
}

// ready wants an answer that is no error, of the right version.
func (w *waiter) ready(resp *wire.Response) string {
	if resp.Status < 200 || resp.Status > 299 {
		return fmt.Sprintf("target not ready: last reply %d from %s (LL10)", resp.Status, shown(pathOnly(w.request.Path)))
	}
	if w.header == "" {
		return ""
	}
	return w.rightVersion(resp)
}

// rightVersion wants the version header alone, whatever the status: a target may
// answer its root with 404.
func (w *waiter) rightVersion(resp *wire.Response) string {
	runs := ""
	for _, h := range resp.Header {
		if strings.EqualFold(h.Name, w.header) {
			runs = strings.TrimSpace(h.Value)
		}
	}
	switch {
	case sameVersion(runs, w.version):
		return ""
	case runs == "":
		return fmt.Sprintf("the target's reply %d has no header %s, which was to say %s (LL11)", resp.Status, w.header, shortVersion(w.version))
	}
	return fmt.Sprintf("the target runs %s, and %s is wanted: an old deployment (LL11)", shown(shortVersion(runs)), shortVersion(w.version))
}

// awaitVersion waits until the target says that it runs the commit under test:
// one that still runs the last deployment would be measured in its place.
func (s *side) awaitVersion(ctx context.Context, deadline time.Time) error {
	if s.commit == "" {
		return &scenario.NotReady{Reason: "the commit to wait for is not known: outside of CI leave version-header out"}
	}
	opts, err := wireOptions(s.env, s.spec, s.hosts)
	if err != nil {
		return err
	}
	w := waiter{timeout: max(time.Until(deadline), shortestWait), every: readyEvery, header: s.version, version: s.commit}
	if w.request, err = getRequest(s.spec.Target.URL); err != nil {
		return err
	}
	if w.client, err = wire.NewClient(opts); err != nil {
		return err
	}
	defer w.client.Close()
	if err := w.wait(ctx, w.rightVersion); err != nil {
		return &scenario.NotReady{Reason: s.mask.String(err.Error())}
	}
	return nil
}

// sameVersion compares two versions. Commits are the same when one is the
// beginning of the other, of at least 7 digits.
func sameVersion(a, b string) bool {
	if a == b {
		return a != ""
	}
	a, b = strings.ToLower(a), strings.ToLower(b)
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= 7 && len(b) >= 40 && strings.HasPrefix(b, a)
}

// shortVersion is a commit as people read it; other versions stay whole.
func shortVersion(s string) string {
	if len(s) == 40 || len(s) == 64 {
		return shortSHA(s)
	}
	return s
}

// pathOnly leaves out a query, which may hold a key.
func pathOnly(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}
