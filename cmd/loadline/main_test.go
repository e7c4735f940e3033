package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts expect")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"loadline": main})
}

// TestScripts runs the real program, a behaviour a file, against a target that
// the test serves.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			srv := newTarget()
			env.Defer(srv.Close)
			env.Values["target"] = srv
			env.Values["running"] = &running{}
			env.Setenv("TARGET", srv.URL)
			env.Setenv("HOSTPORT", strings.TrimPrefix(srv.URL, "http://"))
			second := newTarget()
			env.Defer(second.Close)
			env.Values["target2"] = second
			env.Setenv("TARGET2", second.URL)
			env.Setenv("CLOSED", "http://"+closedPort())
			env.Setenv("ADDR1", closedPort())
			env.Setenv("ADDR2", closedPort())
			env.Setenv("NO_COLOR", "1")
			hlog, err := filepath.Abs(filepath.Join("testdata", "hlog.js"))
			env.Setenv("HLOG_JS", hlog)
			env.Setenv("NODE_PATH", nodeModules())
			return err
		},
		Condition: func(name string) (bool, error) {
			if name != "hdr-histogram-js" && name != "mocha-junit-reporter" {
				return false, fmt.Errorf("there is no condition %q", name)
			}
			_, errNode := exec.LookPath("node")
			_, errModule := os.Stat(filepath.Join(nodeModules(), name))
			return errors.Join(errNode, errModule) == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"measures": measures,
			"slow":     slow("target"),
			"slow2":    slow("target2"),
			"json":     jsonHas,
			"requests": requests,
			"signal":   sendSignal,
			"start":    start,
			"finished": finished,
			"sets":     sets,
			"vanishes": vanishes,
		},
	})
}

// nodeModules is where .ci/test puts what the tests take from npm.
func nodeModules() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "loadline-ci", "node", "node_modules")
}

// sets puts what a command prints into a variable: sets SHA git rev-parse HEAD
func sets(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sets NAME COMMAND [ARG...]")
	}
	ts.Check(ts.Exec(args[1], args[2:]...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// vanishes waits until nothing answers at an address any more, and with ! until
// something does: vanishes ${ADDR1}
func vanishes(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] vanishes HOST:PORT")
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		conn, err := net.DialTimeout("tcp", args[0], time.Second)
		if err == nil {
			_ = conn.Close()
		}
		if (err == nil) == neg {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("after 30 s: does something answer at %s? %v", args[0], !neg)
}

// exits runs a command and checks its status: exits 2 loadline validate x.toml
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, words := statusAndCommand(ts, neg, args)
	if got := exitCode(ts.Exec(words[0], words[1:]...)); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// measures is exits for a command that measures. The machine that runs the tests
// may be busy with others of them, and then loadline rightly calls its own run
// invalid, or cannot tell: do what a user does, and run it again.
func measures(ts *testscript.TestScript, neg bool, args []string) {
	want, words := statusAndCommand(ts, neg, args)
	got := -1
	for range 10 {
		got = exitCode(ts.Exec(words[0], words[1:]...))
		out := ts.ReadFile("stdout")
		unclear := got == 3 || got != want && strings.Contains(out, "Cannot tell:")
		if !unclear || !strings.Contains(out, "generator") {
			break
		}
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func statusAndCommand(ts *testscript.TestScript, neg bool, args []string) (want int, words []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	return want, args[1:]
}

func exitCode(err error) int {
	var coder interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case asExit(err, &coder):
		return coder.ExitCode()
	}
	return -1
}

func asExit(err error, target *interface{ ExitCode() int }) bool {
	c, ok := err.(interface{ ExitCode() int })
	*target = c
	return ok
}

// slow makes a path of a target slower, for good or for so many requests:
// slow /a 20ms 450
func slow(of string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 2 || len(args) > 3 {
			ts.Fatalf("usage: slow PATH DURATION [REQUESTS]")
		}
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		n := math.MaxInt
		if len(args) == 3 {
			n, err = strconv.Atoi(args[2])
			ts.Check(err)
		}
		ts.Value(of).(*target).setSlow(args[0], d, n)
	}
}

// requests checks how many requests the target has had: requests 0
func requests(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	if got := ts.Value("target").(*target).requests.Load(); (got == want) == neg {
		ts.Fatalf("the target had %d requests, want %v %d", got, map[bool]string{true: "not", false: ""}[neg], want)
	}
}

// jsonHas compares one value of a JSON file: json out.json verdict.outcome pass
func jsonHas(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH VALUE")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for key := range strings.SplitSeq(args[1], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				ts.Fatalf("%s: %s: no element %q of %d", args[0], args[1], key, len(x))
			}
			v = x[i]
		default:
			v = nil
		}
	}
	if got := fmt.Sprint(v); (got == args[2]) == neg {
		ts.Fatalf("%s: %s = %s, want %s", args[0], args[1], got, args[2])
	}
}

// running is a program that a script started and has not waited for yet.
type running struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

// start runs a command beside the script: start loadline run spec.toml
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: start COMMAND [ARG...]")
	}
	r := ts.Value("running").(*running)
	*r = running{}
	path, err := lookPath(ts, args[0])
	ts.Check(err)
	r.cmd = exec.Command(path, args[1:]...)
	r.cmd.Dir = ts.MkAbs(".")
	r.cmd.Env = []string{
		"TARGET=" + ts.Getenv("TARGET"), "PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"),
		"TESTSCRIPT_COMMAND=" + args[0],
	}
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	ts.Check(r.cmd.Start())
	ts.Defer(func() { _ = r.cmd.Process.Kill() })
}

// lookPath finds a command where testscript put it.
func lookPath(ts *testscript.TestScript, name string) (string, error) {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(dir, name); isFile(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s in PATH", name)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// signal sends a signal to what was started, once the target has had some
// requests: signal INT 20
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal INT|TERM|KILL REQUESTS")
	}
	sig := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}[args[0]]
	after, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	srv := ts.Value("target").(*target)
	if !srv.waitFor(after, 30*time.Second) {
		ts.Fatalf("the target had only %d requests", srv.requests.Load())
	}
	ts.Check(ts.Value("running").(*running).cmd.Process.Signal(sig))
}

// finished waits for what was started, checks its status, and leaves its output
// in stdout.txt and stderr.txt: finished 130
func finished(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: finished CODE")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	r := ts.Value("running").(*running)
	err = r.cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs("stdout.txt"), r.stdout.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), r.stderr.Bytes(), 0o600))
	if got := exitCode(err); got != want {
		ts.Fatalf("exit status %d, want %d; standard error:\n%s", got, want, r.stderr.String())
	}
}
