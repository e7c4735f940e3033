package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
)

// ciInputs are the inputs of the Action, checked.
type ciInputs struct {
	specs                     []string
	baseURL, profile          string
	start                     string // command; "": the target runs already
	compare                   compareInputs
	baseline                  place
	branch, dir               string
	update                    string // "auto", "never", "always"
	failOn                    FailOn
	comment, summary          string // "changes", "always", "never"
	annotations               bool
	checkRun                  string // "auto", "true", "false"
	tracking                  string // "auto", "never"
	accept                    map[rule.Via]bool
	acceptLabel               string
	envLabel                  string
	readyTimeout, maxDuration time.Duration
	hosts                     []string // besides base-url's; nil with no input
	token                     github.Token
	apiURL, logLevel          string
	artifacts                 []string // names of what is published or stored by a job of its own
	versionHeader             string
	highLoad                  bool   // more than maxRate may be sent
	exec                      bool   // a spec's [[observe]] may run commands and read logs
	began                     string // the folder in which the jobs that measured began; "": this one
}

// readInputs reads the inputs that action.yml maps, with their defaults. Outside
// of GitHub Actions the same variables work: INPUT_SPEC, INPUT_BASE_URL.
func readInputs(env *Env, get func(string) string) (*ciInputs, error) {
	values := map[string]string{}
	for _, in := range github.Inputs() {
		values[in.Name] = get(in.Name)
		if values[in.Name] == "" && !strings.HasPrefix(in.Default, "${{") {
			values[in.Name] = in.Default
		}
	}
	r := inputReader{values: values}
	in := &ciInputs{
		baseURL: values["base-url"], profile: values["profile"],
		start: values["start"], compare: r.compare(),
		branch: values["baseline-branch"], dir: values["baseline-dir"],
		update:      r.oneOf("update-baseline", "auto", "never", "always"),
		comment:     r.oneOf("comment", "changes", "always", "never"),
		summary:     r.oneOf("summary", "always", "changes", "never"),
		annotations: r.oneOf("annotations", "true", "false") == "true",
		checkRun:    r.oneOf("check-run", "auto", "true", "false"),
		tracking:    r.oneOf("tracking-issue", "auto", "never"),
		acceptLabel: values["accept-label"],
		envLabel:    values["env-label"], readyTimeout: r.duration("ready-timeout"), maxDuration: r.duration("max-duration"),
		hosts: words(values["allowed-hosts"]), token: github.Token(values["token"]),
		apiURL: values["github-api-url"], logLevel: r.oneOf("log-level", "debug", "info", "warn", "error"),
	}
	in.versionHeader = values["version-header"]
	in.highLoad = r.oneOf("allow-high-load", "false", "true") == "true"
	in.exec = r.oneOf("allow-exec", "false", "true") == "true"
	if in.versionHeader != "" && !headerName.MatchString(in.versionHeader) {
		r.fail("input version-header is %q: write the name of a response header, such as X-Commit", in.versionHeader)
	}
	var err error
	if in.baseline, err = parsePlace(values["baseline"]); err != nil {
		r.fail("input baseline: %w, file:PATH or none", err)
	}
	in.branch = cmp.Or(in.baseline.branch, in.branch)
	if in.accept, err = parseAccept(values["accept"]); err != nil {
		r.fail("%w", err)
	}
	in.began = get("working-directory") // the action itself begins there, and does not hand it on
	if in.artifacts = words(get("artifact")); in.artifacts == nil {
		in.artifacts = []string{github.DefaultArtifact}
	}
	err = checkLabel(in.envLabel)
	if err != nil {
		r.fail("%w", err)
	}
	if in.failOn, err = parseFailOn(values["fail-on"]); err != nil {
		r.fail("%w", err)
	}
	if in.specs, err = findSpecs(env, values["spec"]); err != nil {
		r.fail("%w", err)
	}
	return in, r.err
}

// acceptWays are the words of the input accept.
var acceptWays = []string{string(rule.ViaLabel), string(rule.ViaTrailer), string(rule.ViaFile), string(rule.ViaComment), "none"}

// parseAccept reads the ways by which a slowdown may be accepted.
func parseAccept(list string) (map[rule.Via]bool, error) {
	ways, none := map[rule.Via]bool{}, false
	for _, word := range words(list) {
		switch {
		case !slices.Contains(acceptWays, word):
			return nil, fmt.Errorf("input accept has %q%s: use %s", word, didYouMean(word, acceptWays), strings.Join(acceptWays, ", "))
		case word == "none":
			none = true
		default:
			ways[rule.Via(word)] = true
		}
	}
	if none && len(ways) > 0 {
		return nil, errors.New(`input accept has "none" beside others: use "none" alone, or leave it out`)
	}
	return ways, nil
}

// An inputReader keeps the first mistake.
type inputReader struct {
	values map[string]string
	err    error
}

func (r *inputReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = usagef(format, args...)
	}
}

func (r *inputReader) oneOf(name string, allowed ...string) string {
	v := r.values[name]
	if !slices.Contains(allowed, v) {
		r.fail("input %s is %q: use %s", name, v, strings.Join(allowed, ", "))
	}
	return v
}

func (r *inputReader) duration(name string) time.Duration {
	d, err := time.ParseDuration(r.values[name])
	if err != nil || d <= 0 {
		r.fail("input %s is %q: write a time such as 90s or 5m", name, r.values[name])
	}
	return d
}

// words splits at commas and white space; nil when there is nothing.
func words(s string) []string {
	all := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' || r == '\r' })
	if len(all) == 0 {
		return nil
	}
	return all
}

// findSpecs reads the input `spec`: paths or patterns, one a line.
func findSpecs(env *Env, input string) ([]string, error) {
	var all []string
	for line := range strings.Lines(input) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if !strings.ContainsAny(line, "*?[") {
			all = append(all, line)
			continue
		}
		found, err := filepath.Glob(env.path(line))
		if err != nil {
			return nil, fmt.Errorf("input spec: the pattern %q: %w", line, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("input spec: no file matches %q in %s", line, env.Dir)
		}
		for _, f := range found {
			if rel, err := filepath.Rel(env.Dir, f); err == nil && !filepath.IsAbs(line) {
				f = rel
			}
			all = append(all, f)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// allowed narrows the hosts that a spec may reach to those the workflow allows.
func allowed(wanted, workflow []string) ([]string, error) {
	for _, h := range wanted {
		if !slices.Contains(workflow, h) && !slices.Contains(workflow, hostOnly(h)) {
			return nil, fmt.Errorf("host %s is not in allowed-hosts, which the workflow sets, not the spec; nothing was sent; add it there if it is meant (LL03)", h)
		}
	}
	return wanted, nil
}

// detours are where a spec would have connections made in place of the hosts that
// it names: by [http] resolve, or through a proxy of its own.
func detours(s *spec.Spec) []string {
	var all []string
	for _, to := range s.HTTP.Resolve {
		all = append(all, to)
	}
	if u, err := url.Parse(s.HTTP.Proxy); err == nil && u.Host != "" {
		all = append(all, u.Host)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func hostOnly(hostport string) string {
	if i := strings.LastIndexByte(hostport, ':'); i > strings.LastIndexByte(hostport, ']') {
		return hostport[:i]
	}
	return hostport
}
