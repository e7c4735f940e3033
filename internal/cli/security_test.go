package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
)

// Each promise of docs/security.md names a test that is there.
func TestSecurityPromisesHaveTests(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	have := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, room := range []string{"internal/*", "cmd/*"} {
		files, err := filepath.Glob(filepath.Join(root, room, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
				have[m[1]] = true
			}
		}
	}
	doc, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	named := regexp.MustCompile("`(Test\\w+)`")
	for line := range strings.Lines(string(doc)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| Promise") {
			continue
		}
		rows++
		names := named.FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			t.Errorf("no test: %s", line)
		}
		for _, m := range names {
			if !have[m[1]] {
				t.Errorf("there is no %s, which is to hold: %s", m[1], line)
			}
		}
	}
	if rows < 15 {
		t.Errorf("only %d promises were found", rows)
	}
}

// What a pull request changes of what is allowed is said in words.
func TestGateChanges(t *testing.T) {
	t.Parallel()
	limit := func(text string) spec.Limit {
		l, err := rule.ParseLimit(text, rule.Own{})
		if err != nil {
			t.Fatal(err)
		}
		return spec.Limit{Rule: l, Pos: spec.Pos{Line: 7}}
	}
	compare := func(text string, warn bool) spec.Compare {
		r, err := rule.ParseCompare(text, rule.Own{})
		if err != nil {
			t.Fatal(err)
		}
		return spec.Compare{Rule: r, Warn: warn, Pos: spec.Pos{Line: 8}}
	}
	base := spec.Gate{Thresholds: []spec.Limit{limit("errors < 1%")}, Compare: []spec.Compare{compare("latency.p95 within 5%", false)}, Per: "step", Baseline: "merge-base", MinRequests: 100}
	moved := elsewhere(base)
	if diff := cmp.Diff(gateChanges(base, moved), []string(nil)); diff != "" {
		t.Errorf("the same rules on other lines: got - want +\n%s", diff)
	}
	if moved.Thresholds[0].Pos.Line != 0 || base.Thresholds[0].Pos.Line != 7 {
		t.Error("elsewhere keeps a line, or takes the original's")
	}
	lax := base
	lax.Thresholds, lax.Compare, lax.MinRequests = []spec.Limit{limit("errors < 50%")}, []spec.Compare{compare("latency.p95 within 5%", true)}, 1_000_000
	want := []string{
		`without "errors < 1%"`, `without "latency.p95 within 5%"`, "without min_requests 100",
		`with "errors < 50%"`, `with "latency.p95 within 5%" as a warning`, "with min_requests 1000000",
	}
	if diff := cmp.Diff(gateChanges(base, lax), want); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
}
