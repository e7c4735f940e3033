package baseline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

// bare makes a bare repository with a main branch that has one file.
func bare(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git here")
	}
	dir := filepath.Join(t.TempDir(), "data.git")
	runGit(t, "", "init", "--quiet", "--bare", "--initial-branch=main", dir)
	work := t.TempDir()
	runGit(t, "", "clone", "--quiet", dir, work)
	if err := os.WriteFile(filepath.Join(work, "go.mod"), []byte("module x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runGit(t, work, "checkout", "--quiet", "-B", "main")
	runGit(t, work, "add", ".")
	runGit(t, work, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "first")
	runGit(t, work, "push", "--quiet", "origin", "main")
	return dir
}

func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func openGit(t *testing.T, remote, branch string, env ...string) *Git {
	t.Helper()
	g, err := NewGit(remote, branch, append(os.Environ(), env...))
	if err != nil {
		t.Fatal(err)
	}
	g.wait = 20 * time.Millisecond
	return g
}

// held lists what a store has for the runs of stored.
func held(t *testing.T, s Store, limit int) *Found {
	t.Helper()
	files, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := QueryFor(stored(0))
	q.Max = limit
	found, err := Find(files, q)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestGitStore(t *testing.T) {
	t.Parallel()
	remote := bare(t)
	g := openGit(t, remote, "loadline-data")
	if found := held(t, g, 9); found.Miss == nil || found.Miss.Code != "no-baseline" {
		t.Fatalf("a branch that is not there: %+v", found)
	}
	for i := range 5 {
		if _, err := Put(t.Context(), g, stored(i), 3); err != nil {
			t.Fatal(err)
		}
	}
	found := held(t, g, 9)
	if len(found.Records) != 3 || found.Records[0].Commit != stored(4).Commit || len(found.Skipped) > 0 {
		t.Errorf("after five runs of which three are kept: %+v", found)
	}
	if n := runGit(t, remote, "rev-list", "--count", "loadline-data"); n != "5" {
		t.Errorf("%s commits, want 5: each run and its pruning are one", n)
	}
	if roots := runGit(t, remote, "rev-list", "--max-parents=0", "loadline-data", "main"); len(strings.Fields(roots)) != 2 {
		t.Errorf("roots %s: the branch is not an orphan", roots)
	}
	if log := runGit(t, remote, "log", "-1", "--format=%s %b", "loadline-data"); !strings.Contains(log, "api smoke at 0000004") || !strings.Contains(log, "[skip ci]") {
		t.Errorf("the commit says %q", log)
	}

	// Once more stores nothing and makes no commit.
	if _, err := Put(t.Context(), g, stored(4), 3); err != nil {
		t.Error(err)
	}
	gone, err := Prune(t.Context(), g, 1)
	if err != nil || len(gone) != 2 {
		t.Errorf("pruned %v, %v", gone, err)
	}
	if n := runGit(t, remote, "rev-list", "--count", "loadline-data"); n != "6" {
		t.Errorf("%s commits, want 6", n)
	}
	if found := held(t, g, 9); len(found.Records) != 1 {
		t.Errorf("after pruning: %+v", found.Records)
	}
}

// TestTwentyWriters: nothing is lost, whichever store they share.
func TestTwentyWriters(t *testing.T) {
	t.Parallel()
	shared := Dir(t.TempDir())
	remote := bare(t)
	for name, open := range map[string]func() Store{
		"folder": func() Store { return shared },
		"git":    func() Store { return openGit(t, remote, "loadline-data") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var wg sync.WaitGroup
			for i := range 20 {
				store := open()
				wg.Go(func() {
					s := stored(i % 10) // two and two began in the same second of the same CI run
					s.Rows[0].Requests = int64(1000 + i)
					if _, err := Put(t.Context(), store, s, Keep); err != nil {
						t.Errorf("writer %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			seen := map[int64]bool{}
			for _, s := range held(t, open(), 99).Summaries() {
				seen[s.Rows[0].Requests] = true
			}
			if len(seen) != 20 {
				t.Errorf("%d of 20 runs are there", len(seen))
			}
		})
	}
}

// fakeGit stands before the real one in PATH: a shell script that sees $1..., the
// real program in $REAL, and a folder of its own in $DIR.
func fakeGit(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	real, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git here")
	}
	dir := t.TempDir()
	text := fmt.Sprintf("#!/bin/sh\nREAL=%q\nDIR=%q\n%s\nexec \"$REAL\" \"$@\"\n", real, dir, script)
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte(text), 0o700); err != nil { //nolint:gosec // must be run
		t.Fatal(err)
	}
	return dir
}

// TestGitLostAnswer: a push that arrived, and whose answer did not, is not made
// again.
func TestGitLostAnswer(t *testing.T) {
	remote := bare(t)
	dir := fakeGit(t, `case "$*" in *" push "*) if [ ! -e "$DIR/once" ]; then touch "$DIR/once"; "$REAL" "$@" >/dev/null 2>&1; echo "fatal: the remote end hung up unexpectedly" >&2; exit 128; fi;; esac`)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	g := openGit(t, remote, "loadline-data")
	if _, err := Put(t.Context(), g, stored(1), Keep); err != nil {
		t.Fatal(err)
	}
	if n := runGit(t, remote, "rev-list", "--count", "loadline-data"); n != "1" {
		t.Errorf("%s commits, want 1", n)
	}
	if _, err := os.Stat(filepath.Join(dir, "once")); err != nil {
		t.Errorf("no answer was lost: %v", err)
	}
}

// TestGitGivesUp: what will not change is not tried again, and what may is tried
// twelve times.
func TestGitGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   string
		pushes int
	}{
		"a rule of the server": {`echo "! x:y [remote rejected] (pre-receive hook declined)"; exit 1`, "[remote rejected] (pre-receive hook declined)", 1},
		"always too late":      {`echo "! x:y [rejected] (fetch first)"; exit 1`, "not saved after 12 tries", 12},
	} {
		t.Run(name, func(t *testing.T) {
			remote := bare(t)
			dir := fakeGit(t, `case "$*" in *" push "*) echo x >> "$DIR/pushes"; `+c.script+`;; esac`)
			t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			g := openGit(t, remote, "loadline-data")
			g.wait = time.Microsecond
			_, err := Put(t.Context(), g, stored(1), Keep)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			pushes, _ := os.ReadFile(filepath.Join(dir, "pushes"))
			if n := strings.Count(string(pushes), "x"); n != c.pushes {
				t.Errorf("%d pushes, want %d", n, c.pushes)
			}
		})
	}
}

func TestGitRefuses(t *testing.T) {
	t.Parallel()
	remote := bare(t)
	for name, c := range map[string]struct{ remote, branch, want string }{
		"the branch of the code": {remote, "main", "it holds other files (go.mod)"},
		"no such remote":         {remote + "x", "data", "does not appear to be a git repository"},
	} {
		_, err := Put(t.Context(), openGit(t, c.remote, c.branch), stored(1), Keep)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	for name, c := range map[string]struct{ remote, branch, want string }{
		"no remote":            {"", "data", "names no git remote"},
		"an option":            {"--upload-pack=x", "data", "names no git remote"},
		"a helper":             {"ext::sh -c x", "data", "are not used"},
		"no branch":            {remote, "", "no name for a branch"},
		"a strange one":        {remote, "a..b", "no name for a branch"},
		"an option again":      {remote, "-x", "no name for a branch"},
		"a token in the clear": {"http://u:secret@git.example/x.git", "data", "unencrypted"},
	} {
		_, err := NewGit(c.remote, c.branch, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Put(ctx, openGit(t, remote, "data"), stored(1), Keep); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestGitOverHTTP uses git's own server, which asks for a password: it comes from
// the environment or the address, and is never seen again.
func TestGitOverHTTP(t *testing.T) {
	t.Parallel()
	remote := bare(t)
	runGit(t, remote, "config", "http.receivepack", "true")
	program := filepath.Join(runGit(t, "", "--exec-path"), "git-http-backend")
	if _, err := os.Stat(program); err != nil {
		t.Skip("git-http-backend is not installed")
	}
	const secret = "s3cr3t/+t0ken"
	backend := &cgi.Handler{Path: program, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(remote), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=ci"}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, p, _ := r.BasicAuth(); p != secret {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	defer srv.Close()
	address := srv.URL + "/" + filepath.Base(remote)
	g := openGit(t, address, "loadline-data", GitTokenVar+"="+secret)
	if _, err := Put(t.Context(), g, stored(1), Keep); err != nil {
		t.Fatal(err)
	}
	inAddress := openGit(t, strings.Replace(address, "//", "//ci:s3cr3t%2F+t0ken@", 1), "loadline-data")
	if _, err := Put(t.Context(), inAddress, stored(2), Keep); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(inAddress.String(), "s3cr3t") {
		t.Errorf("the address shows: %s", inAddress)
	}
	if found := held(t, inAddress, 9); len(found.Records) != 2 {
		t.Errorf("%d runs, want 2", len(found.Records))
	}
	wrong := openGit(t, address, "loadline-data", GitTokenVar+"=wr0ng-t0ken")
	_, err := Put(t.Context(), wrong, stored(3), Keep)
	if err == nil || strings.Contains(err.Error(), "wr0ng") || !strings.Contains(err.Error(), "git fetch: fatal:") {
		t.Errorf("a wrong token: %v", err)
	}
}

// TestGitHidesTheToken holds the processes that are started to it: no argument
// has it.
func TestGitHidesTheToken(t *testing.T) {
	dir := fakeGit(t, `echo "$*" >> "$DIR/args"; case "$*" in *" fetch "*) env >&2; exit 128;; esac`)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	g := openGit(t, "https://ci:hunter22@git.example/x.git", "data")
	_, err := g.Open(t.Context())
	args, _ := os.ReadFile(filepath.Join(dir, "args"))
	if !strings.Contains(string(args), "https://git.example/x.git") || strings.Contains(string(args), "hunter22") {
		t.Errorf("git was started with %s", args)
	}
	if err == nil || strings.Contains(err.Error(), "hunter22") || strings.Contains(err.Error(), "Y2k6aHVudGVyMjI") {
		t.Errorf("got %v", err)
	}
}

var _ = []Store{Dir(""), (*Git)(nil)}

// TestPutOlderThanAllKept: a late, old run neither stays nor pushes another out.
func TestPutOlderThanAllKept(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	for _, i := range []int{5, 6, 7, 1} {
		if _, err := Put(t.Context(), d, stored(i), 3); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, s := range held(t, d, 9).Summaries() {
		got = append(got, s.Commit)
	}
	if want := fmt.Sprint([]string{stored(7).Commit, stored(6).Commit, stored(5).Commit}); fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := Put(t.Context(), d, &result.Summary{}, 3); !errors.Is(err, ErrUnfit) {
		t.Errorf("an unfit run: %v", err)
	}
}
