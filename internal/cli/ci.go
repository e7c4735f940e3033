package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// outDir is where a CI run leaves its files, below the working directory.
const outDir = "loadline-out"

func ciCommand() command {
	return command{
		name:    "ci",
		summary: "what the Action runs: measure, compare, publish, store, exit",
		example: "INPUT_SPEC=perf/api.toml INPUT_BASE_URL=http://127.0.0.1:8080 loadline ci",
		flags:   byInputs(runCI),
	}
}

// byInputs makes a command that is told everything by its inputs: it has no flags
// and no arguments.
func byInputs(run func(context.Context, *Env) (Exit, error)) func(*pflag.FlagSet) runFunc {
	return func(*pflag.FlagSet) runFunc {
		return func(ctx context.Context, env *Env, args []string) (Exit, error) {
			if err := exactly(args); err != nil {
				return ExitUsage, err
			}
			return run(ctx, env)
		}
	}
}

// A ciRun is one run of the Action, or of `loadline ci` in another CI.
type ciRun struct {
	env     *Env
	in      *ciInputs
	event   github.Event // empty outside of GitHub
	github  bool
	actions *github.Actions
	client  *github.Client // nil: nothing to talk to
	store   *ciStore
	log     *slog.Logger
	out     string // folder of the files, as users see it
	several bool   // specs, so each has a folder within out
	specs   []*spec.Spec
	notes   []string

	pull   *github.Pull         // as it is now; nil: not on a pull request, or not to be read
	talk   *github.Conversation // its comments, where they were needed
	hidden []byte               // what the comment is to remember; nil: what it does already
	checks []*check             // check runs of their own, one for each spec

	further map[*result.Run][]*result.Summary // what was measured again of a run that was read from an artifact

	looked int // specs whose stored runs were looked for, see singles

	prefer   string            // the profile that the event asks for, in specs that have it
	profiles map[string]string // what became of that, by spec
	deployed string            // the address that base-url: deployment:X came to
}

// runCI measures every spec, says what came of it, keeps the baseline where the
// event allows, and ends with the verdict. What cannot be published never
// changes the exit status.
func runCI(ctx context.Context, env *Env) (Exit, error) {
	c := &ciRun{env: env, actions: github.NewActions(env.Stdout, env.get), out: outDir}
	if err := c.prepare(); err != nil {
		return ExitUsage, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.in.maxDuration, errTooLong{c.in.maxDuration})
	defer cancel()

	if code, done, err := c.settle(ctx); done || err != nil {
		return code, err
	}
	if err := c.readAll(); err != nil {
		return c.failed(ExitUsage, err)
	}
	if err := c.maskSecrets(); err != nil {
		return c.failed(ExitInvalid, err)
	}
	c.several = len(c.in.specs) > 1
	if err := c.readPull(ctx); err != nil {
		return c.failed(ExitInvalid, err)
	}
	if by := c.skippedBy(ctx); by != "" {
		return c.skip(ctx, by)
	}
	c.openChecks(ctx)
	// Also when this panics: an open check would keep the pull request waiting.
	defer c.closeChecks(ctx, github.Failure, "no verdict", "loadline ended without a verdict; its log says why.")

	all, stumbled := c.decideAgain(ctx)
	if all == nil && stumbled == nil {
		all, stumbled = c.measureAll(ctx)
	}
	if len(all) == 0 {
		return c.failed(ExitInvalid, stumbled)
	}
	// Publishing goes on when the job is being cancelled, and when a later spec
	// stumbled: what was measured is not to be lost.
	ctx = context.WithoutCancel(ctx)
	c.accept(ctx, all)
	code := c.publish(ctx, all)
	if stumbled != nil {
		return c.failed(ExitInvalid, stumbled)
	}
	return code, nil
}

// measureAll measures each spec in turn. What there is comes back also when a later
// one stumbled.
func (c *ciRun) measureAll(ctx context.Context) (all []*measurement, err error) {
	if err := c.awaitDeployment(ctx); err != nil {
		return nil, err
	}
	for _, file := range c.in.specs {
		j := c.job(file)
		j.live = &live.Hub{}
		watched, done := watchRun(c.env, j.live, false)
		m, err := c.measure(ctx, watched, j)
		done()
		if err != nil {
			return all, err
		}
		if all = append(all, m); m.run.Interrupted {
			break
		}
	}
	return all, nil
}

// publishTime is how long one part of publishing may take.
const publishTime = time.Minute

// readAll reads every spec before any load is sent: a mistake in the last one is
// said at once, and costs no measurement.
func (c *ciRun) readAll() error {
	names := map[string]string{}
	for _, file := range c.in.specs {
		s, err := readSpec(c.env, file, c.job(file).flags)
		if err != nil {
			return err
		}
		if other, twice := names[s.Name]; twice {
			return usagef("%s and %s share the name %q; names key baselines, comments and files: rename one (LL02)", other, file, s.Name)
		}
		names[s.Name] = file
		c.specs = append(c.specs, s)
	}
	return nil
}

// failed ends a run that has no verdict.
func (c *ciRun) failed(code Exit, err error) (Exit, error) {
	c.annotateProblems(err)
	if c.github {
		err = errors.Join(err, c.actions.Output("exit-code", strconv.Itoa(int(statusOf(code, err)))))
	}
	return code, err
}

// errTooLong says that the input max-duration was over.
type errTooLong struct{ most time.Duration }

func (e errTooLong) Error() string {
	return fmt.Sprintf("the input max-duration of %s was over", e.most)
}

// prepare reads inputs and event, and makes the client.
func (c *ciRun) prepare() error {
	if c.env.get("GITHUB_EVENT_NAME") != "" {
		// Lines of the log quote specs and targets, and the runner obeys lines.
		c.env.Stderr = github.LogWriter(c.env.Stderr)
	}
	in, err := readInputs(c.env, c.actions.Input)
	if err != nil {
		return err
	}
	c.in = in
	var level slog.Level
	if err := level.UnmarshalText([]byte(in.logLevel)); err != nil {
		return usageError{err}
	}
	c.log = slog.New(slog.NewTextHandler(c.env.Stderr, &slog.HandlerOptions{Level: level}))
	c.event, err = github.Detect(c.env.get, os.ReadFile)
	switch {
	case errors.Is(err, github.ErrNoEvent):
		c.event = github.Event{}
	case err != nil:
		return usageError{err}
	default:
		c.github = true
		if err := c.connect(); err != nil {
			return err
		}
	}
	return c.openStore()
}

// openStore makes the store that the inputs name.
func (c *ciRun) openStore() (err error) {
	c.store, err = newCIStore(c.env, c.in, &c.event, c.client)
	if err == nil {
		c.store.singles = c.singles
	}
	return err
}

func (c *ciRun) connect() (err error) {
	if c.event.Name == github.EventPullRequestTarget {
		return usagef("this job runs under pull_request_target, which hands secrets to a pull request's code; refused: use pull_request (LL40)")
	}
	api := c.in.apiURL
	if api == "" {
		api = c.event.APIURL
	}
	c.client, err = github.New(github.Config{
		Owner: c.event.Owner, Repo: c.event.Repo, Token: c.in.token, APIURL: api,
		UserAgent: "loadline/" + version(), DefaultBranch: c.event.DefaultBranch, Log: c.log,
	})
	if err != nil {
		return usageError{err}
	}
	return nil
}

// job is one spec of this run.
func (c *ciRun) job(file string) job {
	j := job{
		file: file, flags: c.flags(c.profile(file)), commit: c.commit(), start: c.in.start, ready: c.in.readyTimeout,
		store: c.store.find, lineage: c.store.lineage, govern: c.govern, version: c.in.versionHeader, most: c.in.mostRate(),
		pool: c.earlier,
	}
	// Where the workflow names hosts, the spec cannot add to them.
	u, err := url.Parse(j.flags.target)
	switch {
	case err == nil && u.Host != "":
		j.hosts = append([]string{u.Host}, c.in.hosts...)
	case c.in.hosts != nil:
		j.hosts = c.in.hosts
	case c.event.ReadOnly():
		// Whoever wrote this spec may not choose whom our runners call.
		j.hosts = loopback
	}
	return j
}

// commit is what is under test: of a pull request its head, not the test merge.
func (c *ciRun) commit() string {
	for _, sha := range []string{c.event.HeadSHA, c.event.SHA} {
		if sha != "" {
			return sha
		}
	}
	return commitFromEnv(c.env)
}

// keep stores every healthy, whole run where this event may.
func (c *ciRun) keep(ctx context.Context, all []*measurement) {
	if !c.store.mayUpdate() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	for _, m := range all {
		if m.verdict.Head == nil || !c.store.takes(m.verdict.Head) {
			continue
		}
		if err := c.keepOne(ctx, m); err != nil {
			c.note("%v", err)
		}
	}
}

// keepOne stores one run. That its store refuses it for what it measured is told,
// and no error.
func (c *ciRun) keepOne(ctx context.Context, m *measurement) error {
	m.verdict.Head.Attempt = c.attempt()
	name, err := c.store.keep(ctx, m.verdict.Head)
	switch {
	case unfit(err):
		c.note("%s: %v. The baseline stays as it was.", m.spec.Name, err)
	case err != nil:
		return fmt.Errorf("%s: the baseline could not be stored: %w", m.spec.Name, err)
	case name != "":
		c.log.Info("baseline stored", "spec", m.spec.Name, "file", name)
	}
	return nil
}

// attempt tells re-runs of one workflow run apart; "" where no CI is known.
func (c *ciRun) attempt() string {
	if c.event.RunID == 0 {
		return c.store.build.Run
	}
	return fmt.Sprintf("%d.%d", c.event.RunID, max(c.event.RunAttempt, 1))
}

// note keeps something that could not be done, for the summary and the log.
func (c *ciRun) note(format string, args ...any) {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ") // one line, whatever it quotes
	c.notes = append(c.notes, text)
	fmt.Fprintf(c.env.Stderr, "loadline: %s\n", text)
}

// actionsOnly does what makes sense on GitHub only.
func (c *ciRun) actionsOnly(do func() error) error {
	if !c.github {
		return nil
	}
	return do()
}

// worstFirst is how loud an outcome is among several specs.
var worstFirst = []verdict.Outcome{
	verdict.Regression, verdict.Threshold, verdict.Invalid, verdict.Inconclusive, verdict.NoBaseline, verdict.Accepted, verdict.Pass,
}

// worst is the measurement whose outcome speaks for all.
func worst(all []*measurement, fail FailOn) *measurement {
	return slices.MinFunc(all, func(a, b *measurement) int { return rank(a, fail) - rank(b, fail) })
}

// rank puts what fails before what does not, then the louder first.
func rank(m *measurement, fail FailOn) int {
	r := slices.Index(worstFirst, m.verdict.Outcome)
	if !fail[m.verdict.Outcome] {
		r += len(worstFirst)
	}
	return r
}

// folder is where the files of one spec go.
func (c *ciRun) folder(m *measurement) string {
	if !c.several {
		return c.out
	}
	name := pathName(m.spec.Name)
	if label := m.run.Environment.Label; label != c.in.envLabel { // a matrix's
		name += "-" + pathName(label)
	}
	return filepath.Join(c.out, name)
}

// pathName makes one folder's name of any text.
func pathName(s string) string { return specName(strings.ReplaceAll(s, "/", "-")) }
