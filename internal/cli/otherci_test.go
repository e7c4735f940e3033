package cli

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oasdiff/yaml3"
	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/github"
)

// fenced are the code blocks of a page, by language.
var fenced = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// TestOtherCIExamples holds docs/other-ci.md and docs/baselines.md to the program: each command line and
// flag exists, each variable means something, and the YAML is that of its system.
func TestOtherCIExamples(t *testing.T) {
	t.Parallel()
	commandLines := 0
	for _, file := range []string{"../../docs/other-ci.md", "../../docs/baselines.md"} {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks := fenced.FindAllStringSubmatch(string(page), -1)
		if len(blocks) == 0 {
			t.Fatalf("%s has no examples", file)
		}
		for _, b := range blocks {
			lang, text := b[1], b[2]
			if lang == "yaml" {
				checkYAML(t, text)
			}
			commandLines += checkCommands(t, text)
			checkVariables(t, text)
		}
	}
	if commandLines < 8 {
		t.Errorf("found %d command lines: the search is broken", commandLines)
	}
}

// checkYAML looks at the keys by which a system is told what loadline's files
// and statuses mean.
func checkYAML(t *testing.T, text string) {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Errorf("%v in:\n%s", err, text)
		return
	}
	if job, ok := doc["loadline"].(map[string]any); ok { // GitLab
		if got := at(job, "allow_failure", "exit_codes"); !slices.Equal(got.([]any), []any{4, 5}) {
			t.Errorf("allow_failure.exit_codes: %v", got)
		}
		for _, part := range []string{"before_script", "script", "after_script"} {
			for _, line := range at(job, part).([]any) {
				if _, is := line.(string); !is { // a colon and a blank make a map of it
					t.Errorf("%s has %v, which is no command", part, line)
				}
			}
		}
		if got := at(job, "artifacts", "reports", "junit"); got != outDir+"/junit.xml" {
			t.Errorf("artifacts.reports.junit: %v", got)
		}
		if got := at(job, "artifacts", "reports", "metrics"); got != outDir+"/metrics.txt" {
			t.Errorf("artifacts.reports.metrics: %v", got)
		}
		return
	}
	steps, ok := doc["steps"].([]any) // Buildkite
	if !ok {
		t.Errorf("neither GitLab's nor Buildkite's:\n%s", text)
		return
	}
	var soft []int
	for _, s := range steps[0].(map[string]any)["soft_fail"].([]any) {
		soft = append(soft, s.(map[string]any)["exit_status"].(int))
	}
	if !slices.Equal(soft, []int{int(ExitInconclusive), int(ExitNoBaseline)}) {
		t.Errorf("soft_fail: %v", soft)
	}
}

func at(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

var (
	invocation = regexp.MustCompile(`(?m)(?:^|[\s'"(|])loadline((?: [a-z][a-z-]*)+)([^\n|;&']*)`)
	inImage    = regexp.MustCompile(`ghcr\.io/loadline-ci/loadline:\S+((?: [a-z][a-z-]*)+)([^\n|;&']*)`)
	longFlag   = regexp.MustCompile(`--[a-z][a-z-]*`)
)

// checkCommands looks up each command and its flags, and returns how many
// command lines there were.
func checkCommands(t *testing.T, text string) int {
	t.Helper()
	n := 0
	for _, m := range append(invocation.FindAllStringSubmatch(text, -1), inImage.FindAllStringSubmatch(text, -1)...) {
		words := strings.Fields(m[1])
		if slices.Contains([]string{"ended", "cannot"}, words[0]) { // a sentence in a message
			continue
		}
		n++
		cmd, _, err := find(slices.Clone(words))
		if err != nil || cmd == nil {
			t.Errorf("%s: %v", m[0], err)
			continue
		}
		fs := pflag.NewFlagSet(cmd.name, pflag.ContinueOnError)
		cmd.flags(fs)
		for _, f := range longFlag.FindAllString(m[2], -1) {
			if fs.Lookup(strings.TrimPrefix(f, "--")) == nil {
				t.Errorf("%s: %s has no flag %s", strings.TrimSpace(m[0]), cmd.name, f)
			}
		}
	}
	return n
}

var (
	variable   = regexp.MustCompile(`\b(INPUT|LOADLINE)_[A-Z_0-9]+\b`)
	outputFile = regexp.MustCompile(`\b` + outDir + `/([a-z]+\.[a-z]+)`)
)

// checkVariables looks up each variable of ours, and each file of loadline-out.
func checkVariables(t *testing.T, text string) {
	t.Helper()
	known := []string{
		baseline.GitUserVar, baseline.GitTokenVar, "LOADLINE_COMMIT", "LOADLINE_BRANCH", "LOADLINE_DEFAULT_BRANCH", "LOADLINE_PR", "LOADLINE_TARGET", "LOADLINE_BASE",
		"LOADLINE_VERSION", "LOADLINE_SHA256", // the examples' own
	}
	for _, in := range github.Inputs() {
		known = append(known, "INPUT_"+strings.ToUpper(strings.ReplaceAll(in.Name, "-", "_")))
	}
	for _, name := range variable.FindAllString(text, -1) {
		if !slices.Contains(known, name) {
			t.Errorf("no variable %s means anything", name)
		}
	}
	for _, m := range outputFile.FindAllStringSubmatch(text, -1) {
		if !slices.Contains([]string{"result.json", "report.html", "junit.xml", "report.md", "metrics.txt"}, m[1]) {
			t.Errorf("ci writes no %s", m[0])
		}
	}
	for _, m := range regexp.MustCompile(`fail.on\W+([a-z,-]+)`).FindAllStringSubmatch(strings.ToLower(text), -1) {
		if _, err := parseFailOn(m[1]); err != nil {
			t.Error(strconv.Quote(m[0]), err)
		}
	}
}
