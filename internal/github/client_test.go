package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

func client(t *testing.T, s *githubtest.Server) *Client {
	t.Helper()
	c, err := New(Config{Owner: "octo", Repo: "shop", Token: "s3cret", Transport: s, DefaultBranch: "main"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// times answers the first n calls that match with a fault.
func times(n int, method, path string, f githubtest.Fault) func(*http.Request) *githubtest.Fault {
	return func(r *http.Request) *githubtest.Fault {
		if n == 0 || r.Method != method || !strings.Contains(r.URL.Path, path) {
			return nil
		}
		n--
		return &f
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		c    Config
		want string
	}{
		{"no repository", Config{}, "GITHUB_REPOSITORY is not set"},
		{"no scheme", Config{Owner: "o", Repo: "r", APIURL: "ghe.example"}, "not an http or https URL"},
		{"a file", Config{Owner: "o", Repo: "r", APIURL: "file:///etc/passwd"}, "not an http or https URL"},
		{"no URL", Config{Owner: "o", Repo: "r", APIURL: "http://[::1"}, "not an http or https URL"},
	}
	for _, tt := range tests {
		if _, err := New(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// GitHub.com takes calls at its root, an Enterprise Server under /api/v3, and
// the environment names both as they are.
func TestAPIAddress(t *testing.T) {
	t.Parallel()
	for api, want := range map[string]string{
		"":                           "https://api.github.com/repos/octo/shop/git/ref/heads/x",
		"https://api.github.com":     "https://api.github.com/repos/octo/shop/git/ref/heads/x",
		"https://ghe.example/api/v3": "https://ghe.example/api/v3/repos/octo/shop/git/ref/heads/x",
		"https://ghe.example":        "https://ghe.example/api/v3/repos/octo/shop/git/ref/heads/x",
		"https://api.octo.ghe.com":   "https://api.octo.ghe.com/repos/octo/shop/git/ref/heads/x",
	} {
		s := githubtest.New()
		var got string
		s.Before = func(r *http.Request) *githubtest.Fault {
			got = r.URL.String()
			return nil
		}
		c, err := New(Config{Owner: "octo", Repo: "shop", APIURL: api, Transport: s})
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.Branch("x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Files(t.Context(), ""); err != nil {
			t.Error(err)
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", api, got, want)
		}
	}
}

func TestTokenIsHidden(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	token := Token("ghs_verysecret")
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", token, "config", Config{Token: token})
	text, err := json.Marshal(map[string]any{"t": token})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		fmt.Sprint(token), fmt.Sprintf("%v %+v %#v %q %s %x", token, Config{Token: token}, Config{Token: token}, token, token, token),
		log.String(), string(text),
	} {
		if strings.Contains(s, "verysecret") || strings.Contains(s, fmt.Sprintf("%x", "verysecret")) {
			t.Errorf("the token shows in %s", s)
		}
		if s == "" {
			t.Error("nothing printed")
		}
	}
	if got := Token("").String(); got != "" {
		t.Errorf("no token: got %q", got)
	}
}

// The token goes to the API's own host, and a redirect elsewhere is refused.
func TestTokenStaysHome(t *testing.T) {
	t.Parallel()
	var sent []string
	s := githubtest.New()
	s.Before = func(r *http.Request) *githubtest.Fault {
		sent = append(sent, r.URL.Host+" "+r.Header.Get("Authorization"))
		if len(sent) > 1 {
			return &githubtest.Fault{Status: http.StatusFound, Header: map[string]string{"Location": "https://evil.example/x"}}
		}
		return &githubtest.Fault{Status: http.StatusMovedPermanently, Header: map[string]string{"Location": "https://api.github.com/repositories/1"}}
	}
	_, err := client(t, s).MergeBase(t.Context(), baseSHA, headSHA)
	if err == nil || !strings.Contains(err.Error(), "another host, evil.example") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(sent, []string{"api.github.com Bearer s3cret", "api.github.com Bearer s3cret"}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	const compare = "/compare/"
	tests := []struct {
		name  string
		fault githubtest.Fault
		times int
		calls int // sent in all
		least time.Duration
		most  time.Duration
		want  string // in the error; "": none
		code  string
	}{
		{"lost answer", githubtest.Fault{Drop: true}, 1, 2, 0, time.Second, "", ""},
		{"502 twice", githubtest.Fault{Status: 502}, 2, 3, 0, 3 * time.Second, "", ""},
		{"502 for ever", githubtest.Fault{Status: 502}, 9, 3, 0, 3 * time.Second, "502: GitHub has a problem of its own", ""},
		{"501", githubtest.Fault{Status: 501}, 9, 1, 0, 0, "501: GitHub has a problem of its own", ""},
		{"no answer", githubtest.Fault{Drop: true}, 9, 3, 0, 3 * time.Second, "no answer: ", ""},
		{"Retry-After", githubtest.Fault{Status: 403, Header: map[string]string{"Retry-After": "7"}}, 1, 2, 7 * time.Second, 7 * time.Second, "", ""},
		{"429", githubtest.Fault{Status: 429}, 1, 2, time.Minute, time.Minute, "", ""},
		{"secondary limit", githubtest.Fault{Status: 403, Body: `{"message":"You have exceeded a secondary rate limit"}`}, 1, 2, time.Minute, time.Minute, "", ""},
		{
			"secondary limit for ever",
			githubtest.Fault{Status: 403, Body: `{"message":"x","documentation_url":"https://docs.github.com/x#about-secondary-rate-limits"}`, Header: map[string]string{"Retry-After": "1"}},
			9, 3, 2 * time.Second, 2 * time.Second, "rate limit is used up", CodeRateLimit,
		},
		{"hourly limit", githubtest.Fault{Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "946688400"}}, 9, 1, 0, 0, "rate limit is used up", CodeRateLimit},
		{"denied", githubtest.Fault{Status: 403, Body: `{"message":"Resource not accessible by integration"}`}, 9, 1, 0, 0, "contents: read", CodeReadOnly},
		{"bad token", githubtest.Fault{Status: 401}, 9, 1, 0, 0, "check the `token` input", ""},
		{"missing", githubtest.Fault{Status: 404}, 9, 1, 0, 0, "404: no such thing", ""},
		{"refused", githubtest.Fault{Status: 422, Body: `{"message":"two\nlines"}`}, 9, 1, 0, 0, "422: two lines", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // begins at 946684800
				s := githubtest.New()
				s.SetRef("main", s.Commit("main", "a", nil))
				s.Before = times(tt.times, "GET", compare, tt.fault)
				c := client(t, s)
				began := time.Now()
				_, err := c.MergeBase(t.Context(), "main", "main")
				if took := time.Since(began); took < tt.least || took > tt.most {
					t.Errorf("took %v, want %v to %v", took, tt.least, tt.most)
				}
				if c.Calls() != tt.calls {
					t.Errorf("%d calls, want %d", c.Calls(), tt.calls)
				}
				if tt.want == "" {
					if err != nil {
						t.Errorf("got %v", err)
					}
					return
				}
				var e *Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) || e.Code != tt.code {
					t.Errorf("got %v, want %q with code %q", err, tt.want, tt.code)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("more than a line: %q", err)
				}
			})
		})
	}
}

// A call that GitHub leaves hanging is given up and sent again.
func TestHangingCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := githubtest.New()
		s.Commit("main", "a", nil)
		first := true
		s.Before = func(r *http.Request) *githubtest.Fault {
			if first {
				first = false
				<-r.Context().Done()
			}
			return nil
		}
		began := time.Now()
		if _, err := client(t, s).MergeBase(t.Context(), "main", "main"); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < callTimeout || took > callTimeout+time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestCancelledWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := githubtest.New()
		s.Before = times(9, "GET", "/", githubtest.Fault{Status: 429})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		_, err := client(t, s).MergeBase(ctx, "main", "main")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	root := s.Commit("main", "root", nil)
	left := s.Commit("main", "left", nil)
	s.SetRef("pr", left)
	head := s.Commit("pr", "work", nil)
	tip := s.Commit("main", "tip", nil)
	c := client(t, s)

	got, err := c.MergeBase(t.Context(), tip, head)
	if err != nil || got != left {
		t.Errorf("merge base: got %s, %v, want %s", got, err, left)
	}
	s.SetRef("else", "")
	alone := s.Commit("else", "alone", nil)
	if _, err := c.MergeBase(t.Context(), tip, alone); err == nil || !strings.Contains(err.Error(), tip[:10]) {
		t.Errorf("unrelated commits: got %v", err)
	}
	for n, want := range map[int][]string{20: {tip, left, root}, 2: {tip, left}, 0: nil} {
		parents, err := c.FirstParents(t.Context(), tip, n)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parents, want); diff != "" {
			t.Errorf("first %d parents: got - want +\n%s", n, diff)
		}
	}
}
