package scenario

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
)

// A compiler turns the steps of a spec into steps of a set.
type compiler struct{ set *Set }

// common prepares what every request carries.
func (c *compiler) common() error {
	h := &c.set.spec.HTTP
	for _, p := range h.Headers {
		v, err := c.text(p.Value)
		if err != nil {
			return fmt.Errorf("http.headers.%s: %w", p.Name, err)
		}
		c.set.headers = append(c.set.headers, headerFill{name: p.Name, value: v})
	}
	auth, err := c.auth(&h.Auth)
	if err != nil {
		return fmt.Errorf("http.auth: %w", err)
	}
	if auth != nil {
		c.set.headers = append(c.set.headers, *auth)
	}
	return nil
}

// auth is the header field of [http.auth], nil where there is none.
func (c *compiler) auth(a *spec.Auth) (*headerFill, error) {
	h := &headerFill{name: "Authorization", own: true}
	var value *rule.Template
	switch {
	case a.OAuth2 != nil:
		t, err := newTokens(c, a.OAuth2)
		c.set.auth = t
		h.token = true
		return h, err
	case a.Bearer != nil:
		h.prefix, value = "Bearer ", a.Bearer
	case a.BasicUser != nil:
		h.prefix, h.base64 = "Basic ", true
		both := a.BasicUser.Text() + ":"
		if a.BasicPassword != nil {
			both += a.BasicPassword.Text()
		}
		var err error
		if value, err = rule.ParseTemplate(both); err != nil {
			return nil, err
		}
	default:
		return nil, nil
	}
	v, err := c.text(value)
	if err != nil {
		return nil, err
	}
	if h.value = v; v.fill == nil {
		if h.base64 {
			v.known = base64.StdEncoding.EncodeToString([]byte(v.known))
		}
		h.value.known = h.prefix + v.known
	}
	return h, nil
}

// all compiles every list of steps.
func (c *compiler) all() error {
	s, errs := c.set.spec, []error(nil)
	list := func(steps []*spec.Step) []*step {
		out, err := c.steps(steps)
		errs = append(errs, err)
		return out
	}
	c.set.setup, c.set.teardown = list(s.Setup), list(s.Teardown)
	c.set.userStart, c.set.userStop = list(s.User.OnStart), list(s.User.OnStop)
	if s.Target.Ready != nil {
		c.set.ready = list([]*spec.Step{s.Target.Ready.Step})[0]
	}
	c.set.setupFeeds, c.set.teardownFeeds = c.feedsOf(s.Setup), c.feedsOf(s.Teardown)
	users := c.feedsOf(s.User.OnStart, s.User.OnStop)
	for _, sc := range s.Scenarios {
		w := &walk{name: sc.Name, onStart: list(sc.OnStart), steps: list(sc.Steps), think: s.User.Think, pace: s.User.Pace}
		w.feeds = slices.Clone(users)
		for _, f := range c.feedsOf(sc.OnStart, sc.Steps) {
			if !slices.Contains(w.feeds, f) {
				w.feeds = append(w.feeds, f)
			}
		}
		if sc.Think != nil {
			w.think = *sc.Think
		}
		if sc.Pace != nil {
			w.pace = *sc.Pace
		}
		c.set.scenarios = append(c.set.scenarios, w)
	}
	return errors.Join(errs...)
}

// steps compiles a list of steps. A body that only the `if` behind it reads is
// kept too.
func (c *compiler) steps(list []*spec.Step) ([]*step, error) {
	var out []*step
	for _, s := range list {
		st, err := c.step(s)
		if err != nil {
			return nil, fmt.Errorf("step %q: %w", s.Name, err)
		}
		if s.If != nil && s.If.NeedsBody() {
			for _, before := range out {
				before.keepBody()
			}
		}
		out = append(out, st)
	}
	return out, nil
}

func (st *step) keepBody() {
	if st.message != nil {
		st.message.keepBody = true
	}
	for _, p := range st.parallel {
		p.keepBody()
	}
}

func (c *compiler) step(s *spec.Step) (*step, error) {
	st := &step{spec: s, looks: len(s.Checks)+len(s.Capture)+len(s.Record) > 0}
	c.set.noteRecords(st)
	c.set.ifs = c.set.ifs || s.If != nil
	switch s.OnFailure {
	case "end-iteration":
		st.after = endIteration
	case "end-user":
		st.after = endUser
	case "stop-run":
		st.after = stopRun
	}
	var err error
	if len(s.Parallel) > 0 {
		st.parallel, err = c.steps(s.Parallel)
		return st, err
	}
	st.message, err = c.message(s)
	return st, err
}

func (c *compiler) message(s *spec.Step) (*message, error) {
	m := &message{method: s.Method, timeout: s.Timeout, redirects: s.Redirects, keepBody: readsBody(s)}
	if m.redirects < 0 {
		m.redirects = c.set.spec.HTTP.Redirects
	}
	var err error
	if m.url, err = c.text(s.URL); err != nil {
		return nil, err
	}
	_, m.written = s.URL.Literal()
	m.link = strings.HasPrefix(s.URL.Text(), "{{")
	if m.query, err = c.pairs(s.Query); err != nil {
		return nil, err
	}
	if err = c.headers(m, s.Headers); err != nil {
		return nil, err
	}
	if s.Body != nil {
		if err = c.body(m, s.Body); err != nil {
			return nil, err
		}
	}
	filled := func(p pair) bool { return p.value.fill != nil }
	header := func(h headerFill) bool { return h.value.fill != nil }
	m.same = m.url.fill == nil && !slices.ContainsFunc(m.query, filled) && !slices.ContainsFunc(m.header, header) && !m.body.filled()
	return m, nil
}

// readsBody says whether the body of the answer has to be kept.
func readsBody(s *spec.Step) bool {
	for _, c := range s.Checks {
		if c.Rule.NeedsBody() {
			return true
		}
	}
	for _, c := range s.Capture {
		if c.Source.NeedsBody() {
			return true
		}
	}
	for _, r := range s.Record {
		if r.Check != nil && r.Check.NeedsBody() || r.Source != nil && r.Source.NeedsBody() {
			return true
		}
	}
	return false
}

// text fills in what is the same for every user: variables and secrets.
func (c *compiler) text(t *rule.Template) (text, error) {
	if t == nil {
		return text{}, nil
	}
	if known, ok := t.Literal(); ok {
		return text{known: known}, nil
	}
	if !c.constant(t.Pure(), t.Names()) {
		return text{fill: t}, nil
	}
	known, err := t.Append(nil, settings{c.set.spec})
	return text{known: string(known)}, err
}

// constant says whether a template makes the same text each time.
func (c *compiler) constant(pure bool, names []rule.Name) bool {
	if !pure {
		return false
	}
	for _, n := range names {
		if !c.set.constant(n.Name) {
			return false
		}
	}
	return true
}

// settings are the values that are the same for every user: [vars] and [secrets].
type settings struct{ spec *spec.Spec }

func (s settings) Lookup(name string) (rule.Value, bool) {
	if v, ok := s.spec.Vars[name]; ok {
		return v, true
	}
	v, ok := s.spec.Secrets[name]
	return v, ok
}
func (settings) Uint64() uint64    { return 0 }
func (settings) Next(string) int64 { return 0 }

// pairs compiles query or form fields; what is known is encoded here.
func (c *compiler) pairs(list []spec.Pair) ([]pair, error) {
	var out []pair
	for _, p := range list {
		v, err := c.text(p.Value)
		if err != nil {
			return nil, err
		}
		if v.fill == nil {
			v.known = string(rule.AppendQuery(nil, v.known))
		}
		out = append(out, pair{string(rule.AppendQuery(nil, p.Name)), v})
	}
	return out, nil
}

// headers compiles the step's own header fields and those of all requests that
// it does not replace.
func (c *compiler) headers(m *message, list []spec.Pair) error {
	for _, p := range list {
		v, err := c.text(p.Value)
		if err != nil {
			return err
		}
		m.header = append(m.header, headerFill{name: p.Name, value: v})
	}
	mine := m.header
	for _, h := range c.set.headers {
		if !slices.ContainsFunc(mine, func(o headerFill) bool { return strings.EqualFold(o.name, h.name) }) {
			m.header = append(m.header, h)
		}
	}
	return nil
}
