package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A job is one run of octo/shop's workflow.
type job struct {
	event   string // "push" or "pull_request"
	branch  string // what is checked out and under test
	commit  string
	before  string // push: what the branch was; pull_request: the base's commit
	pr      int
	fork    bool
	token   string
	runID   int
	comment string            // the input
	vars    map[string]string // more of the repository's variables, see workflow

	action, label string // of a pull_request event
	text          string // of an issue_comment
}

// An outcome is what came of a job.
type outcome struct {
	attempt   int               // of the run; over 1 when the machine was too busy before
	failed    bool              // the job was red
	outputs   map[string]string // of the action
	result    result            // the result file; zero when there is none
	commands  []line            // workflow commands
	summaries []string
	log       string // everything, for a failure's report
	took      time.Duration
	dir       string // what it left
}

// A line is one line that act prints with --json.
type line struct {
	Msg     string            `json:"msg"`
	Command string            `json:"command"`
	Pairs   map[string]string `json:"kvPairs"`
	Arg     string            `json:"arg"`
	Content string            `json:"content"`
}

// A result is the part of the result file that CONTRACT promises and the
// scenarios look at.
type result struct {
	Schema string
	Run    struct{ Mode string }
	// Observed is what the target said of itself.
	Observed []struct {
		Role, Arm string
		Readings  []struct{ Value float64 }
		Fault     string
	}
	Verdict struct {
		Outcome  string
		Reasons  []struct{ Code, Message string }
		Findings []struct {
			Step, Metric, Call string
			ChangePercent      float64 `json:"change_percent"`
		}
	}
}

// told looks at what the target said of itself: its throughput, of each of these
// sides ("" for a target alone), and nothing that the workflow does not allow to be
// read.
func (o *outcome) told(w *wrongs, arms ...string) {
	heard, refused := map[string]bool{}, false
	for _, m := range o.result.Observed {
		switch {
		case m.Role == "throughput" && len(m.Readings) > 0 && slices.ContainsFunc(m.Readings, func(r struct{ Value float64 }) bool { return r.Value > 1 }):
			heard[m.Arm] = true
		case m.Role == "local":
			refused = true
			w.check(len(m.Readings) == 0 && strings.Contains(m.Fault, "allow-exec"), "a command was run that the workflow does not allow: %+v", m)
		}
	}
	for _, arm := range arms {
		w.check(heard[arm], "nothing was read of the target's throughput (side %q): %+v", arm, o.result.Observed)
	}
	w.check(len(arms) > 0 || refused, "the command that is not allowed is not told of: %+v", o.result.Observed)
	_, err := os.Stat(filepath.Join(o.dir, "ran"))
	w.check(os.IsNotExist(err), "a command of the spec was run, though the workflow does not allow it")
}

// busy says whether this machine, not the target, spoilt the run: then there is
// no verdict to look at, and a person would run the job again.
func (r result) busy() bool {
	if r.Verdict.Outcome != "invalid" {
		return false
	}
	for _, reason := range r.Verdict.Reasons {
		if strings.HasPrefix(reason.Code, "generator") {
			return true
		}
	}
	return false
}

// slower are the steps called slower, each once.
func (r result) slower() []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range r.Verdict.Findings {
		if f.Call == "slower" && !seen[f.Step] {
			seen[f.Step] = true
			out = append(out, f.Step)
		}
	}
	return out
}

// A stage runs jobs.
type stage struct {
	r      *runner
	act    string
	action string // a copy of loadline's checkout
	emu    *emulator
	shop   *shop
	target *target
	jobs   int
}

// repoID is octo/shop's number.
const repoID = 1

// attempts is how often a job is run when the machine is too busy to judge.
const attempts = 3

// run runs a job to its end, again as GitHub would re-run it when the machine
// was too busy for a verdict.
func (s *stage) run(ctx context.Context, j job) (*outcome, error) {
	for attempt := 1; ; attempt++ {
		out, err := s.once(ctx, j, attempt)
		if err != nil || attempt == attempts || !out.result.busy() {
			return out, err
		}
		fmt.Printf("     run %d: this machine was too busy, attempt %d follows\n", j.runID, attempt+1)
		if err := s.emu.mark(ctx); err != nil {
			return nil, err
		}
	}
}

// once runs one attempt of a job.
func (s *stage) once(ctx context.Context, j job, attempt int) (*outcome, error) {
	s.jobs++
	dir := filepath.Join(s.r.scratch, "job-"+strconv.Itoa(s.jobs))
	home := filepath.Join(dir, "config", "act")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	// Without one act would ask which image it should pull.
	if err := os.WriteFile(filepath.Join(home, "actrc"), nil, 0o644); err != nil {
		return nil, err
	}
	event := filepath.Join(dir, "event.json")
	if err := s.writeEvent(event, j); err != nil {
		return nil, err
	}
	at, ref := j.commit, "refs/heads/"+j.branch
	if j.event == "issue_comment" { // GitHub runs it on the default branch
		at, ref = j.before, "refs/heads/main"
	}
	if _, err := s.shop.git(ctx, "-C", s.shop.work, "checkout", "--quiet", at); err != nil {
		return nil, err
	}
	if j.event == "pull_request" {
		ref = fmt.Sprintf("refs/pull/%d/merge", j.pr)
	}
	args := []string{
		j.event, "-C", s.shop.work, "-e", event, "--json", "--no-cache-server", "-P", "ubuntu-latest=-self-hosted",
		"--local-repository", "loadline-ci/loadline@v1=" + s.action, "--action-offline-mode",
		"--action-cache-path", filepath.Join(dir, "cache"), "-s", "GITHUB_TOKEN=" + j.token,
		"--var", "TARGET=" + s.target.url, "--var", "COMMENT=" + j.comment,
	}
	for name, value := range map[string]string{
		"GITHUB_API_URL": s.emu.api, "GITHUB_REPOSITORY": "octo/shop", "GITHUB_REPOSITORY_OWNER": "octo", "GITHUB_REF": ref,
		"GITHUB_RUN_ID": strconv.Itoa(j.runID), "GITHUB_RUN_ATTEMPT": strconv.Itoa(attempt), "E2E_DIR": dir,
	} {
		args = append(args, "--env", name+"="+value)
	}
	for name, value := range j.vars {
		args = append(args, "--var", name+"="+value)
	}
	cmd := exec.CommandContext(ctx, s.act, args...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(cleanEnv(), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"))
	log, err := os.Create(filepath.Join(dir, "act.jsonl"))
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	began := time.Now()
	err = cmd.Run()
	out := &outcome{attempt: attempt, took: time.Since(began), dir: dir}
	if closed := log.Close(); closed != nil {
		return nil, closed
	}
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		return nil, errors.Join(err, ctx.Err())
	}
	out.failed = err != nil
	return out, out.read(dir)
}

// read collects what a job left.
func (o *outcome) read(dir string) error {
	log, err := os.Open(filepath.Join(dir, "act.jsonl"))
	if err != nil {
		return err
	}
	defer log.Close()
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 8<<20)
	var text strings.Builder
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			text.WriteString(lines.Text() + "\n") // act's own errors come as plain text
			continue
		}
		switch l.Command {
		case "":
		case "summary":
			o.summaries = append(o.summaries, l.Content)
		default:
			o.commands = append(o.commands, l)
		}
		text.WriteString(strings.TrimRight(l.Msg, "\n") + "\n")
	}
	if err := lines.Err(); err != nil {
		return err
	}
	o.log = text.String()
	for _, f := range []struct {
		name string
		into any
	}{{"outputs.json", &o.outputs}, {"result.json", &o.result}} {
		data, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil {
			continue // a scenario that needs it says so
		}
		if err := json.Unmarshal(data, f.into); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// annotations are the commands that annotate a line of a file.
func (o *outcome) annotations(file string) []line {
	var out []line
	for _, c := range o.commands {
		switch c.Command {
		case "error", "warning", "notice":
			if c.Pairs["file"] == file {
				out = append(out, c)
			}
		}
	}
	return out
}

// tail is the end of the log.
func (o *outcome) tail() string {
	lines := strings.Split(strings.TrimSpace(o.log), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// writeEvent fills our repository and commits into a sample of GitHub's.
func (s *stage) writeEvent(to string, j job) error {
	sample := j.event
	if j.event == "issue_comment" { // there is none of it
		sample = "pull_request"
	}
	data, err := os.ReadFile(filepath.Join(s.r.github, "events", sample+".json"))
	if err != nil {
		return err
	}
	var e map[string]any
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	repo, _ := e["repository"].(map[string]any)
	if repo == nil {
		return fmt.Errorf("%s.json has no repository", j.event)
	}
	repo["full_name"], repo["name"], repo["default_branch"], repo["id"] = "octo/shop", "shop", "main", repoID
	switch {
	case j.event == "issue_comment":
		delete(e, "pull_request")
		e["action"], e["issue"] = "created", map[string]any{"number": j.pr, "pull_request": map[string]any{"url": "https://api.github.com/repos/octo/shop/pulls/" + strconv.Itoa(j.pr)}}
		e["comment"] = map[string]any{"body": j.text, "user": map[string]any{"login": "alice"}}
	case j.event == "push":
		e["ref"], e["before"], e["after"], e["deleted"] = "refs/heads/"+j.branch, or(j.before, strings.Repeat("0", 40)), j.commit, false
	default:
		if j.action != "" {
			e["action"] = j.action
		}
		if j.label != "" {
			e["label"] = map[string]any{"name": j.label}
		}
		from := "octo/shop"
		if j.fork {
			from = "mallory/shop"
		}
		pr, _ := e["pull_request"].(map[string]any)
		head, _ := pr["head"].(map[string]any)
		base, _ := pr["base"].(map[string]any)
		headRepo, _ := head["repo"].(map[string]any)
		baseRepo, _ := base["repo"].(map[string]any)
		if headRepo == nil || baseRepo == nil {
			return errors.New("pull_request.json has no head or base repository")
		}
		e["number"], pr["number"] = j.pr, j.pr
		head["sha"], head["ref"], headRepo["full_name"], headRepo["fork"] = j.commit, j.branch, from, j.fork
		base["sha"], base["ref"], baseRepo["full_name"] = j.before, "main", "octo/shop"
	}
	if data, err = json.Marshal(e); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
