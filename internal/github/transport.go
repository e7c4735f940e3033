package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// callTries is how often one call is sent before its failure is believed.
	callTries = 3
	// callTimeout bounds one try, the reading of its answer not included.
	callTimeout = 30 * time.Second
	// callPatience is the longest single wait that GitHub may ask for. A used-up
	// hourly limit asks for more, and a job must not sit it out.
	callPatience = 2 * time.Minute
	// secondaryWait is what GitHub's rate limit page asks for when a secondary
	// limit names no time of its own.
	// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
	secondaryWait = time.Minute
	// maxRefusal is how much of a refusal's body is read to learn its reason.
	maxRefusal = 64 << 10
)

// transport adds the token, counts calls, waits as GitHub asks, and repeats
// what may be repeated.
type transport struct {
	next  http.RoundTripper
	host  string // the only one that gets the token
	token Token
	log   *slog.Logger
	calls atomic.Int64
}

// RoundTrip sends the request up to callTries times.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }() // a RoundTripper's duty; every try has its own copy
	}
	for try := 1; ; try++ {
		resp, err := t.send(req)
		wait, again := t.again(req, resp, err, try)
		if !again {
			return resp, err
		}
		t.log.Info("GitHub call is tried again", "method", req.Method, "path", req.URL.Path, "reason", reason(resp, err), "wait", wait, "try", try+1)
		if resp != nil {
			_ = resp.Body.Close() // its answer is not wanted
		}
		if err := sleep(req.Context(), wait); err != nil {
			return nil, err
		}
	}
}

func (t *transport) send(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	out := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			cancel()
			return nil, err
		}
		out.Body = body
	}
	if t.token != "" && req.URL.Host == t.host {
		out.Header.Set("Authorization", "Bearer "+string(t.token))
	}
	if req.URL.Host == t.host { // the store that artifacts lie in has no limit of calls
		t.calls.Add(1)
	}
	// Only the wait for the headers is bounded here: an answer that has begun is
	// bounded by the caller's context.
	timer := time.AfterFunc(callTimeout, cancel)
	resp, err := t.next.RoundTrip(out)
	if !timer.Stop() && err != nil && req.Context().Err() == nil {
		err = fmt.Errorf("no answer within %v", callTimeout)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = closer{resp.Body, cancel}
	return resp, nil
}

// closer ends the try's context with its body.
type closer struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c closer) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}

// again decides whether a try is followed by another, and after what wait.
func (t *transport) again(req *http.Request, resp *http.Response, err error, try int) (time.Duration, bool) {
	if try >= callTries || req.Context().Err() != nil {
		return 0, false
	}
	if err == nil {
		if wait, limited := rateLimit(resp); limited {
			// Refused before any work was done, so any method may go again.
			return wait, wait <= callPatience
		}
		if resp.StatusCode < 500 || resp.StatusCode == http.StatusNotImplemented {
			return 0, false
		}
	}
	return backoff(try), repeatable(req)
}

// Making an object of git's store twice makes it once, and setting a comment's
// text twice sets it once. Whether to repeat anything else that writes, only
// the caller can know.
var (
	repeatablePost  = regexp.MustCompile(`/git/(blobs|trees|commits)$`)
	repeatablePatch = regexp.MustCompile(`/issues/comments/\d+$`)
)

func repeatable(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		return true
	case http.MethodPost:
		return repeatablePost.MatchString(req.URL.Path)
	case http.MethodPatch:
		return repeatablePatch.MatchString(req.URL.Path)
	}
	return false
}

// rateLimit tells a rate limit's refusal from the others, and how long it asks
// to wait.
func rateLimit(resp *http.Response) (wait time.Duration, limited bool) {
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
		return time.Duration(min(s, 86400)) * time.Second, true
	}
	if resp.Header.Get("X-Ratelimit-Remaining") == "0" {
		if at, err := strconv.ParseInt(resp.Header.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
			return max(time.Until(time.Unix(at, 0)), time.Second), true
		}
	}
	if resp.StatusCode == http.StatusTooManyRequests || secondaryLimit(resp) {
		return secondaryWait, true
	}
	return 0, false
}

// secondaryLimit looks into the body, and puts it back.
func secondaryLimit(resp *http.Response) bool {
	head, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	rest := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), rest), rest}
	return err == nil && strings.Contains(string(head), "secondary rate limit")
}

func reason(resp *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	return resp.Status
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sameHost lets a renamed repository's redirect pass, but none to another host.
func sameHost(req *http.Request, via []*http.Request) error {
	if len(via) > 5 {
		return errors.New("too many redirects")
	}
	if req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme {
		return fmt.Errorf("GitHub's API redirects to another host, %s; not followed", req.URL.Host)
	}
	return nil
}
