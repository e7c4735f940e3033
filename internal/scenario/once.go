package scenario

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/wire"
)

// Once runs setup, one iteration of each scenario, and teardown, without load,
// and writes what is sent, what comes back, and what checks and captures make of
// it; secrets are masked. bad is how many requests went wrong. The error is that of
// setup, of ctx or of w. Ready goes before, as for a load.
func (s *Set) Once(ctx context.Context, w io.Writer) (bad int, err error) {
	t := &tracer{set: s, w: w}
	t.heading("setup", len(s.setup))
	err = s.runSetup(ctx, t)
	for i := 0; i < len(s.scenarios) && err == nil; i++ {
		t.heading(fmt.Sprintf("scenario %q", s.scenarios[i].name), 1)
		u := s.newUser(i, unrecorded{})
		u.trace = t
		over := make(chan struct{})
		close(over) // no pauses
		u.Iterate(ctx, load.Iteration{Scenario: i, Number: int64(i), Stop: over})
		u.Close(ctx)
		err = ctx.Err()
	}
	if ctx.Err() == nil {
		t.heading("teardown", len(s.teardown))
		if down := s.runTeardown(ctx, t); err == nil {
			err = down
		}
	}
	if err == nil {
		err = t.err
	}
	return t.bad, err
}

// A tracer shows what users do. One goroutine at a time uses it.
type tracer struct {
	set     *Set
	w       io.Writer
	secrets []string // captured under a name that sounds like one
	hide    func(string) string
	bad     int
	err     error // of the first write that failed
	buf     bytes.Buffer
}

// bodyShown is how much of a body is shown, in bytes.
const bodyShown = 2 << 10

func (t *tracer) heading(name string, steps int) {
	if steps > 0 {
		t.line(0, "%s", name)
		t.flush()
	}
}

func (t *tracer) line(indent int, format string, args ...any) {
	t.buf.WriteString(strings.Repeat("  ", indent))
	fmt.Fprintf(&t.buf, format, args...)
	t.buf.WriteByte('\n')
}

// flush writes what has gathered, masked.
func (t *tracer) flush() {
	text := t.masked(t.buf.String())
	t.buf.Reset()
	if _, err := io.WriteString(t.w, text); t.err == nil {
		t.err = err
	}
}

// masked hides secrets. A text that is cut goes through it before: half a secret
// is not found any more.
func (t *tracer) masked(text string) string {
	if t.hide != nil {
		text = t.hide(text)
	}
	return t.set.mask(text)
}

const hidden = "***"

func (t *tracer) skipped(st *step) {
	t.line(1, "%s: skipped, as `%s` does not hold\n", st.spec.Name, st.spec.If.Text())
	t.flush()
}

func (t *tracer) unfilled(st *step, err error) {
	t.bad++
	t.line(1, "%s: not sent: %s\n", st.spec.Name, err)
	t.flush()
}

// answered shows a request, its answer and what came of it.
func (t *tracer) answered(u *user, st *step, req *wire.Request, l *lane, missing string) {
	t.line(1, "%s", st.spec.Name)
	t.request(req)
	t.response(&l.resp)
	if l.failure != nil {
		t.bad++
	}
	if l.resp.Kind == wire.None && !expected(st.spec.Expect, l.resp.Status) {
		t.line(2, "FAIL   status %d, expected %s", l.resp.Status, expectText(st.spec.Expect))
	}
	for i := range st.spec.Checks {
		c := &st.spec.Checks[i]
		word := "FAIL "
		if l.resp.Kind == wire.None && c.Rule.Holds(&l.answer, u) {
			word = "ok   "
		}
		t.line(2, "%s  %s", word, c.Name)
	}
	for _, c := range st.spec.Capture {
		s := u.slots[u.set.names[c.Name].index]
		if c.Name == missing || !s.set {
			t.line(2, "FAIL   %s: nothing at %s", c.Name, c.Source.Text())
			continue
		}
		t.captured(c.Name, s.value)
	}
	for i := range st.spec.Record {
		t.recorded(u, &st.spec.Record[i], l)
	}
	t.line(0, "")
	t.flush()
}

// recorded shows what a record reads from the answer; one that finds nothing
// would go unnoticed under load.
func (t *tracer) recorded(u *user, r *spec.Record, l *lane) {
	if r.Source == nil || l.resp.Kind != wire.None {
		return
	}
	name := t.set.spec.Metrics[r.Metric].Name
	n, ok := u.sample(r, l)
	if !ok {
		t.line(2, "none   metric %s: no number at %s", name, r.Source.Text())
		return
	}
	t.line(2, "ok     metric %s: %s", name, unit.Number(n))
}

func (t *tracer) captured(name string, v rule.Value) {
	text, ok := v.(string)
	if !ok {
		doc, err := rule.NewJSON(v)
		if err == nil {
			body, _ := doc.Append(nil, nil)
			text = string(body)
		}
	}
	if soundsSecret(name) && len(text) > 3 && !slices.Contains(t.secrets, text) {
		t.secrets = append(t.secrets, text)
		t.hide = t.set.maskOf(t.secrets)
	}
	t.line(2, "%s = %s", name, shorten(t.masked(text)))
}

// soundsSecret says whether the value of such a name is not for showing.
func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"token", "secret", "password", "passwd", "key", "auth", "session", "csrf"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func (t *tracer) request(req *wire.Request) {
	t.line(2, "> %s %s://%s%s", req.Method, req.Scheme, req.Host, req.Path)
	t.fields(">", req.Header)
	t.body(">", req.Header, req.Body, int64(len(req.Body)))
}

func (t *tracer) response(r *wire.Response) {
	if r.Err != nil {
		t.line(2, "FAIL   %s (after %s)", r.Err, unit.Duration(r.Times.Done))
		return
	}
	t.line(2, "< %d, HTTP/%s, in %s", r.Status, r.Proto, unit.Duration((r.Times.Done - r.Times.Sent).Round(time.Microsecond)))
	t.fields("<", r.Header)
	t.body("<", r.Header, r.Body, r.BodySize)
}

func (t *tracer) fields(mark string, fields []wire.Field) {
	for _, f := range fields {
		value := f.Value
		switch strings.ToLower(f.Name) {
		case "authorization", "proxy-authorization", "cookie", "set-cookie":
			value = hidden
		}
		t.line(2, "%s %s: %s", mark, f.Name, value)
	}
}

func (t *tracer) body(mark string, fields []wire.Field, body []byte, size int64) {
	if size == 0 {
		return
	}
	t.line(2, "%s", mark)
	if !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 || len(body) == 0 {
		kind := "binary"
		for _, f := range fields {
			if strings.EqualFold(f.Name, "Content-Type") {
				kind = f.Value
			}
		}
		t.line(2, "%s (%s of %s)", mark, unit.Size(size), kind)
		return
	}
	for line := range strings.Lines(shorten(t.masked(string(body)))) {
		t.line(2, "%s %s", mark, strings.TrimRight(line, "\r\n"))
	}
}

// shorten cuts a text that is too long to be read.
func shorten(text string) string {
	if len(text) <= bodyShown {
		return text
	}
	cut := bodyShown
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + fmt.Sprintf("\n... (%s in all)", unit.Size(int64(len(text))))
}
