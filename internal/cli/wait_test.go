package cli

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A slowStart answers with replies in turn, the last one again and again.
type slowStart struct {
	replies []http.Handler
	asked   atomic.Int64
}

func (s *slowStart) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(s.asked.Add(1)) - 1
	s.replies[min(n, len(s.replies)-1)].ServeHTTP(w, r)
}

func says(status int, header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	})
}

func TestWait(t *testing.T) {
	t.Parallel()
	commit, older := strings.Repeat("8", 40), strings.Repeat("f", 40)
	huge := strings.Repeat("x", 1<<20)
	tests := []struct {
		name    string
		args    string
		replies []http.Handler
		code    Exit
		want    string
		asked   int64 // at least
	}{
		{"at once", "", []http.Handler{says(200)}, ExitPass, "is ready after", 1},
		{"after two tries", "", []http.Handler{says(503), says(404), says(204)}, ExitPass, "is ready after", 3},
		{"never", "", []http.Handler{says(503)}, ExitInvalid, `target not ready: last reply 503 from "/health" (LL10); waited 400ms`, 2},
		{"a redirect elsewhere", "", []http.Handler{says(302, "Location", "http://169.254.169.254/latest/meta-data")}, ExitInvalid, "last reply 302", 2},
		{"the right version", "--version-header X-Commit --version " + commit, []http.Handler{says(200, "X-Commit", older), says(200, "x-commit", commit[:7])}, ExitPass, "is ready", 2},
		{"an old deployment", "--version-header X-Commit --version " + commit, []http.Handler{says(200, "X-Commit", older)}, ExitInvalid, `the target runs "fffffff", and 8888888 is wanted: an old deployment (LL11)`, 2},
		{"no such header", "--version-header X-Commit --version " + commit, []http.Handler{says(200)}, ExitInvalid, "has no header X-Commit, which was to say 8888888 (LL11)", 2},
		{"another version's beginning", "--version-header X-Version --version 1.2", []http.Handler{says(200, "X-Version", "1.2.3")}, ExitInvalid, `runs "1.2.3", and 1.2 is wanted`, 2},
		{"a version that is a command", "--version-header X-Commit --version " + commit, []http.Handler{says(200, "X-Commit", "::set-output name=x::y")}, ExitInvalid, `runs "::set-output name=x::y"`, 2},
		{"huge headers", "", []http.Handler{says(200, "X-Huge", huge)}, ExitInvalid, "target not ready: ", 1},
		{"no version", "--version-header X-Commit", []http.Handler{says(200)}, ExitUsage, "--version is missing", 0},
		{"no header", "--version 1.2", []http.Handler{says(200)}, ExitUsage, "--version needs --version-header", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			target := &slowStart{replies: tt.replies}
			server := httptest.NewServer(target)
			defer server.Close()
			var out bytes.Buffer
			env := &Env{Stdout: &out, Stderr: &out, Dir: t.TempDir(), Getenv: func(string) (string, bool) { return "", false }}
			args := append([]string{"wait", server.URL + "/health?key=SECRET", "--timeout", "400ms", "--every", "100ms"}, strings.Fields(tt.args)...)
			code := Run(t.Context(), env, args)
			if code != tt.code || !strings.Contains(out.String(), tt.want) || target.asked.Load() < tt.asked {
				t.Errorf("status %d, want %d with %q; asked %d times\n%s", code, tt.code, tt.want, target.asked.Load(), out.String())
			}
			if strings.Contains(out.String(), "SECRET") || strings.Count(strings.TrimSpace(out.String()), "\n") > 0 || out.Len() > 400 {
				t.Errorf("printed %.1000q", out.String())
			}
		})
	}
}

// A cancelled wait is no target's fault.
func TestWaitCancelled(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(says(503))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	env := &Env{Stdout: &out, Stderr: &out, Getenv: func(string) (string, bool) { return "", false }}
	time.AfterFunc(50*time.Millisecond, cancel)
	if code := Run(ctx, env, []string{"wait", server.URL}); code != ExitInterrupted && code != ExitInvalid {
		t.Errorf("status %d\n%s", code, out.String())
	}
}

func TestSameVersion(t *testing.T) {
	t.Parallel()
	whole := "8a1e38dc97000000000000000000000000000001"
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{whole, whole, true},
		{whole[:7], whole, true},
		{whole, whole[:10], true},
		{strings.ToUpper(whole), whole, true},
		{"1.2.3", "1.2.3", true},
		{"", "", false},
		{"", whole, false},
		{whole[:6], whole, false},
		{"1.2.3", "1.2.3-rc1", false},
		{"8a1e38d", "8a1e38dc97", false},
	} {
		if got := sameVersion(tt.a, tt.b); got != tt.want {
			t.Errorf("sameVersion(%q, %q) is %v", tt.a, tt.b, got)
		}
	}
}
