package github

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func actions(t *testing.T, env map[string]string) (*Actions, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	return NewActions(&out, func(k string) string { return env[k] }), &out
}

func TestInput(t *testing.T) {
	t.Parallel()
	a, _ := actions(t, map[string]string{"INPUT_BASE_URL": " http://a ", "INPUT_FAIL-ON": "invalid", "INPUT_SPEC": "x.toml", "INPUT_ENV-LABEL": "docker", "INPUT_ENV_LABEL": "composite"})
	for name, want := range map[string]string{"base-url": "http://a", "fail-on": "invalid", "spec": "x.toml", "env-label": "composite", "profile": ""} {
		if got := a.Input(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestSummaryAndOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{"GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"), "GITHUB_OUTPUT": filepath.Join(dir, "output")}
	a, _ := actions(t, env)
	for _, err := range []error{a.Summary("# one"), a.Summary("two"), a.Output("verdict", "pass"), a.Output("worst-route", "GET /orders/{{ id }}"), a.Output("comment-url", "")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{"summary": "# one\ntwo\n", "output": "verdict<<D\npass\nD\nworst-route<<D\nGET /orders/{{ id }}\nD\ncomment-url<<D\n\nD\n"} {
		got, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(strings.ReplaceAll(string(got), "\r\n", "\n"), "_GitHubActionsFileCommandDelimeter_", "D")
		if diff := cmp.Diff(text, want); diff != "" {
			t.Errorf("%s: got - want +\n%s", file, diff)
		}
	}

	for _, value := range []string{"a\nb", "a\rb", "\x1b[31m", "\xff", "_GitHubActionsFileCommandDelimeter_", strings.Repeat("x", maxOutput+1)} {
		if err := a.Output("verdict", value); err == nil {
			t.Errorf("the output %q is accepted", value)
		}
	}
	if err := a.Summary(strings.Repeat("x", maxSummary+1)); err == nil {
		t.Error("a summary too long is accepted")
	}
	for _, gone := range []map[string]string{{}, {"GITHUB_STEP_SUMMARY": filepath.Join(dir, "no", "x"), "GITHUB_OUTPUT": filepath.Join(dir, "no", "x")}} {
		a, _ := actions(t, gone)
		if a.Summary("x") == nil || a.Output("verdict", "pass") == nil {
			t.Errorf("%v: no error for a file that cannot be written", gone)
		}
	}
}

func TestAnnotate(t *testing.T) {
	t.Parallel()
	a, out := actions(t, nil)
	err := a.Annotate([]Annotation{
		{Level: LevelError, File: "perf/a,b:c.toml", Line: 31, Title: "GET /orders, p99: +36%", Message: "212 ms to 289 ms\n::error::forged"},
		{Level: LevelWarning, Message: "\x1b[31mred\x07 %d"},
		{Level: LevelNotice, File: "x.toml", Message: strings.Repeat("é", maxMessage)},
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	if got, want := lines[0], "::error file=perf/a%2Cb%3Ac.toml,line=31,title=GET /orders%2C p99%3A +36%25::212 ms to 289 ms ::error::forged"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := lines[1], "::warning::[31mred %25d"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if !utf8.ValidString(lines[2]) || len(lines[2]) > maxMessage+40 || !strings.HasSuffix(lines[2], "é…") {
		t.Errorf("cut badly, %d bytes", len(lines[2]))
	}
}

func TestWorstAnnotations(t *testing.T) {
	t.Parallel()
	list := func(n int) (out []Annotation) {
		for i := range n {
			out = append(out, Annotation{Level: LevelError, Message: fmt.Sprint(i)})
		}
		return out
	}
	for n, want := range map[int]int{0: 0, 10: 10, 11: 10, 500: 10} {
		a, out := actions(t, nil)
		all := list(n)
		if err := a.Annotate(all); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "::error"); got != want {
			t.Errorf("%d given: %d shown, want %d", n, got, want)
		}
		if more := fmt.Sprintf("title=and %d more::", n-9); (n > 10) != strings.Contains(out.String(), more) {
			t.Errorf("%d given: %s", n, out)
		}
		if diff := cmp.Diff(all, list(n)); diff != "" {
			t.Errorf("the caller's list was changed:\n%s", diff)
		}
	}
}

func TestVerbatim(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^::stop-commands::(\w{20,})\n::error::x\n::set-output name=a::b\n::(\w+)::\n$`)
	seen := map[string]bool{}
	for range 3 {
		a, out := actions(t, nil)
		if err := a.Verbatim("::error::x\r\n::set-output name=a::b"); err != nil {
			t.Fatal(err)
		}
		m := form.FindStringSubmatch(out.String())
		if m == nil || m[1] != m[2] || seen[m[1]] {
			t.Fatalf("got %q", out)
		}
		seen[m[1]] = true
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	a, out := actions(t, nil)
	if err := a.Mask("line one\nab\r\n\nline %two"); err != nil {
		t.Fatal(err)
	}
	want := "::add-mask::line one\n::add-mask::line %25two\n"
	if got := strings.ReplaceAll(out.String(), "\r\n", "\n"); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("closed pipe") }

func TestClosedOutput(t *testing.T) {
	t.Parallel()
	a := NewActions(broken{}, func(string) string { return "" })
	for i, err := range []error{a.Annotate([]Annotation{{Message: "x"}}), a.Mask("secret"), a.Verbatim("x")} {
		if err == nil || !strings.Contains(err.Error(), "closed pipe") {
			t.Errorf("%d: got %v", i, err)
		}
	}
}

func TestRepoPath(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	a, _ := actions(t, map[string]string{"GITHUB_WORKSPACE": root})
	for file, want := range map[string]string{
		filepath.Join(root, "perf", "api.toml"): "perf/api.toml", filepath.Join(root, "..", "x.toml"): "", "api.toml": "", "": "",
	} {
		if got := a.RepoPath(file); got != want {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err == nil { // not everybody may make one on Windows
		if err := os.WriteFile(filepath.Join(root, "x.toml"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := a.RepoPath(filepath.Join(link, "x.toml")); got != "x.toml" {
			t.Errorf("through a link: got %q", got)
		}
	}
	a, _ = actions(t, nil)
	if got := a.RepoPath(filepath.Join(root, "x")); got != "" {
		t.Errorf("no checkout: got %q", got)
	}
}
