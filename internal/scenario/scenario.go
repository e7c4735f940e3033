// Package scenario is one user's walk: fill in the request, send it, check the
// answer, capture values for the next step.
//
// Compile turns a spec into a Set before the load; what can be worked out then
// is, so that a step without templates costs its user no allocation. The way of
// a run is
//
//	Compile, Set.Ready, Set.Setup, load.Run with Set.NewUser, Set.Teardown, Set.Close
//
// Which scenario a user walks, and when, is load's matter.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// A Session is one user's connections and cookies; see wire.Session.
type Session interface {
	wire.Doer
	Connect(ctx context.Context, scheme, host string) error
	Open(ctx context.Context, scheme, host string) error
	NewIteration()
	Renew()
	Sibling() Session
	Close()
}

// Options is what a Set needs beside the spec.
type Options struct {
	// Mask hides secrets in text that is shown: the errors of Ready, Setup and
	// Teardown, and what Once writes. nil: nothing is hidden.
	Mask func(string) string
	// MaskOf makes a mask for values that were captured under a name that sounds
	// like a secret's, for Once. nil: only what is spelt just so is hidden.
	MaskOf func(secrets []string) func(string) string
}

// A Set is a compiled spec: what users do. It is safe for concurrent use.
type Set struct {
	spec       *spec.Spec
	newSession func() Session
	mask       func(string) string
	maskOf     func([]string) func(string) string

	target    origin
	names     map[string]ref // what templates can name
	slots     int            // how many captures and for_each variables there are
	recording []*step        // whose records read from answers
	ifs       bool           // some step has an `if`, which looks at the answer before it
	feeds     []*feed
	headers   []headerFill // [http.headers] and [http.auth]
	auth      *tokens      // nil: no oauth2
	userStart []*step
	userStop  []*step
	setup     []*step
	teardown  []*step
	ready     *step // nil: connect once
	scenarios []*walk

	setupFeeds    []int // that setup takes rows of
	teardownFeeds []int

	shared []slot // captures of setup, visible to every user

	mu        sync.Mutex
	sequences map[string]int64
}

// A walk is a compiled scenario.
type walk struct {
	name    string
	onStart []*step
	steps   []*step
	feeds   []int // that its steps, or the user's, take rows of
	think   spec.Think
	pace    time.Duration
}

// An origin is where requests go.
type origin struct{ scheme, host, prefix string }

// NotReady says why a run could not begin: the target, or the setup.
type NotReady struct{ Reason string }

// Error returns the reason, a sentence with what to do next.
func (e *NotReady) Error() string { return e.Reason }

// Sessions makes the sessions of a client fit for Compile.
func Sessions(c *wire.Client) func() Session {
	return func() Session { return session{c.NewSession()} }
}

type session struct{ *wire.Session }

func (s session) Sibling() Session { return session{s.Session.Sibling()} }

// WireOptions are the settings of [http] and [target] as wire takes them; env
// looks up environment variables, for the proxy.
func WireOptions(s *spec.Spec, env func(string) string) (wire.Options, error) {
	u, err := url.Parse(s.Target.URL)
	if err != nil {
		return wire.Options{}, fmt.Errorf("target.url: %w", err)
	}
	h := &s.HTTP
	hosts := append([]string{u.Host}, s.Target.AllowHosts...)
	if o := h.Auth.OAuth2; o != nil {
		// The spec names the address, so it is allowed like the target itself. Where
		// it cannot be worked out, Compile says so.
		text, err := o.TokenURL.Append(nil, settings{s})
		if t, parseErr := url.Parse(string(text)); err == nil && parseErr == nil && t.Host != "" {
			hosts = append(hosts, t.Host)
		}
	}
	return wire.Options{
		Timeout: h.Timeout, ConnectTimeout: h.ConnectTimeout,
		Version: h.Version, NoKeepAlive: !h.KeepAlive, NoCompression: !h.Compression,
		UserAgent: h.UserAgent, BodyLimit: h.BodyLimit, Cookies: h.Cookies,
		Shared: h.Shared, MaxConnections: h.MaxConnections,
		Hosts: hosts, Resolve: h.Resolve, IP: h.IP, Proxy: h.Proxy, Env: env,
		TLS: wire.TLSOptions{
			CA: h.TLS.CA, Cert: h.TLS.Cert, Key: h.TLS.Key,
			ServerName: h.TLS.ServerName, MinVersion: h.TLS.MinVersion, Insecure: h.TLS.Insecure,
		},
	}, nil
}

// Compile prepares what users do. newSession is called once for each user, and
// for Ready, Setup and Teardown.
func Compile(s *spec.Spec, newSession func() Session, opt Options) (*Set, error) {
	u, err := url.Parse(s.Target.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("target.url %q is not a URL", s.Target.URL)
	}
	set := &Set{
		spec: s, newSession: newSession, mask: opt.Mask, maskOf: opt.MaskOf,
		target: origin{u.Scheme, strings.ToLower(u.Host), strings.TrimSuffix(u.EscapedPath(), "/")},
		names:  map[string]ref{}, sequences: map[string]int64{},
	}
	if set.mask == nil {
		set.mask = func(s string) string { return s }
	}
	if set.maskOf == nil {
		set.maskOf = func(secrets []string) func(string) string {
			var pairs []string
			for _, s := range secrets {
				pairs = append(pairs, s, hidden)
			}
			return strings.NewReplacer(pairs...).Replace
		}
	}
	set.declare()
	set.shared = make([]slot, set.slots)
	c := compiler{set: set}
	if err := errors.Join(c.common(), c.all()); err != nil {
		return nil, err
	}
	return set, nil
}

// NewUser makes user number id for load.Run.
func (s *Set) NewUser(id int, rec *load.Recorder) load.User { return s.newUser(id, rec) }

// Close stops what runs in the background. Ready may have started it.
func (s *Set) Close() {
	if s.auth != nil {
		s.auth.close()
	}
}

// next gives the numbers of seq(name) over the whole run, from 1; shards of a
// load take turns.
func (s *Set) next(name string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.sequences[name]
	s.sequences[name]++
	return s.spec.Load.Global(n) + 1
}

var _ rule.Env = (*user)(nil)
