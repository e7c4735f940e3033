package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/observe"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/scenario"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/wire"
)

// addExec adds the flag without which a spec starts no command and reads no log.
func (m *measureFlags) addExec(fs *pflag.FlagSet) {
	fs.BoolVar(&m.allowExec, "allow-exec", false, "run the commands and read the logs that [[observe]] of the spec names")
}

// noExec says why a command or a log is not read. A pull request may change the
// spec, and what it names there is on the machine of the load generator.
const noExec = "needs --allow-exec (in the Action, the input allow-exec)"

// checkExec refuses a limit on what will not be read, before any load is sent.
func checkExec(s *spec.Spec, allowed bool) error {
	if allowed {
		return nil
	}
	local, elsewhere := map[string]bool{}, map[string]bool{}
	for _, o := range s.Observe {
		for _, series := range o.Series {
			if o.Kind == "command" || o.Kind == "log" {
				local[series.Role] = true
			} else {
				elsewhere[series.Role] = true
			}
		}
	}
	for _, l := range slices.Concat(s.Gate.Thresholds, s.StopWhen) {
		role, isTarget := strings.CutPrefix(l.Rule.Selector.Metric, rule.TargetPrefix)
		if isTarget && local[role] && !elsewhere[role] {
			return usagef("%s:%d:%d: %s cannot be judged: the command or log that it is read from %s; nothing was sent",
				s.File, l.Pos.Line, l.Pos.Column, l.Rule.Text, noExec)
		}
	}
	return nil
}

// ownPage says whether what is observed is a page of the target itself: a paired
// run has two of them.
func ownPage(o *spec.Observe) bool { return o.Kind == "scrape" && strings.HasPrefix(o.Source, "/") }

// address is where an [[observe]] of a URL is read; nil for one that has none.
func address(s *spec.Spec, o *spec.Observe) *url.URL {
	text := o.Source
	switch {
	case o.Kind != "scrape" && o.Kind != "prometheus":
		return nil
	case ownPage(o):
		target, err := url.Parse(s.Target.URL)
		if err != nil {
			return nil
		}
		text = target.Scheme + "://" + target.Host + o.Source
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	return u
}

// observedHosts are the hosts on which a spec has metrics read.
func observedHosts(s *spec.Spec) []string {
	var all []string
	for i := range s.Observe {
		if u := address(s, &s.Observe[i]); u != nil {
			all = append(all, u.Host)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// An observer reads the target's own metrics as specs ask for them: one spec, or
// those of base and head. A nil one reads nothing.
type observer struct {
	watch   *observe.Watch
	lines   map[string]int // of the roles, in the spec
	arms    []string
	pending map[string][]result.Observed // what each arm has not been told of yet
	clients []*wire.Client
}

// observeTarget begins to read what the sides of a run ask for, and returns when
// each source has answered once or taken too long. Pages of the target itself
// are read of each side, everything else once.
func observeTarget(ctx context.Context, env *Env, sides []*side, exec bool) (*observer, error) {
	o := &observer{lines: map[string]int{}, pending: map[string][]result.Observed{}}
	var sources []observe.Source
	var sessions []observe.Session
	last := sides[len(sides)-1]
	for i := range last.spec.Observe {
		from := []*side{last}
		if ownPage(&last.spec.Observe[i]) {
			from = sides
		}
		for _, s := range from {
			source, client, err := sourceOf(env, s, &s.spec.Observe[i], exec)
			if err != nil {
				o.close()
				return nil, err
			}
			if len(from) > 1 {
				source.Arm = s.name
			}
			var session observe.Session
			if client != nil {
				o.clients = append(o.clients, client)
				session = client.NewSession()
			}
			sources, sessions = append(sources, source), append(sessions, session)
			for _, series := range source.Series {
				o.lines[series.Role] = last.spec.Observe[i].Pos.Line
			}
		}
	}
	for _, s := range sides {
		o.arms = append(o.arms, s.name)
	}
	o.watch = observe.Start(ctx, sources, observe.Options{
		Session: func(i int) observe.Session { return sessions[i] },
		Run:     func(ctx context.Context, line string) ([]byte, error) { return printed(ctx, env, line) },
		Mask:    last.mask.String,
	})
	return o, nil
}

// sourceOf is one [[observe]] of a side, and the client that reads it, where it
// is read over HTTP.
func sourceOf(env *Env, s *side, o *spec.Observe, exec bool) (observe.Source, *wire.Client, error) {
	source := observe.Source{Every: o.Every, Shown: o.Kind + " " + o.Source}
	for _, series := range o.Series {
		source.Series = append(source.Series, observe.Series{
			Role: series.Role, Expr: series.Expr, Query: series.Query, Unit: series.Unit, Limit: series.Limit,
		})
	}
	if o.Pattern != "" {
		source.Pattern = regexp.MustCompile(o.Pattern) // the spec was checked
	}
	if !exec && (o.Kind == "command" || o.Kind == "log") {
		source.Refused = "it " + noExec
	}
	switch o.Kind {
	case "command":
		source.Command = o.Source
		return source, nil, nil
	case "log":
		source.Log = env.path(o.Source)
		return source, nil, nil
	}
	u := address(s.spec, o)
	source.Shown = o.Kind + " " + bareURL(u.String())
	if o.Kind == "scrape" {
		source.Page = u.String()
	} else {
		source.Prometheus = u.String()
	}
	client, err := metricsClient(env, s, u.Host)
	if err == nil {
		source.Header, err = scenario.Fields(s.spec, o.Headers)
	}
	if err != nil {
		return source, client, usagef("%s:%d: [[observe]]: %w", s.spec.File, o.Pos.Line, s.mask.Error(err))
	}
	return source, client, nil
}

// metricsClient speaks to one host, with the target's settings where they are not
// about the target alone.
func metricsClient(env *Env, s *side, host string) (*wire.Client, error) {
	opts, err := wireOptions(env, s.spec, s.hosts)
	if err != nil {
		return nil, err
	}
	if target := opts.Hosts[0]; !strings.EqualFold(target, host) {
		opts.Version, opts.TLS.ServerName = "auto", ""
	}
	opts.Hosts, opts.BodyLimit = []string{host}, observe.MaxBody+1
	opts.Cookies, opts.NoKeepAlive, opts.Shared = "off", false, false
	return wire.NewClient(opts)
}

// printed runs a command line in a shell and returns what it printed. It ends
// with ctx at the latest, and with it all that it started: a command that leaves
// something behind does so at each reading.
func printed(ctx context.Context, env *Env, line string) ([]byte, error) {
	shell := shellCommand(line)
	cmd := exec.CommandContext(ctx, shell[0], shell[1:]...)
	cmd.Dir, cmd.Env = env.Dir, withoutInputs(env.Environ())
	out, said := &tail{}, &tail{}
	cmd.Stdout, cmd.Stderr = out, said
	ownGroup(cmd)
	cmd.Cancel = func() error {
		endAll(cmd)
		return nil
	}
	cmd.WaitDelay = outputGrace
	err := cmd.Run()
	if over := make(chan struct{}); cmd.Process != nil {
		close(over)
		if groupLives(cmd, over) {
			endAll(cmd)
		}
	}
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		err = nil // it ended well; what it left behind held its output
	}
	if err != nil {
		if lines := said.lines(); len(lines) > 0 {
			return nil, fmt.Errorf("the command failed (%w): %s", err, lines[len(lines)-1])
		}
		return nil, fmt.Errorf("the command failed (%w)", err)
	}
	return out.text, nil
}

// tell adds to an interval of one arm what was read since the one before. What
// belongs to both arms is told of with each.
func (o *observer) tell(arm string, iv *result.Interval) {
	if o == nil {
		return
	}
	for _, read := range o.watch.Since(iv.Second.At) {
		for _, a := range o.arms {
			if read.Arm == "" || read.Arm == a {
				o.pending[a] = append(o.pending[a], read)
			}
		}
	}
	iv.Observed = o.pending[arm]
	delete(o.pending, arm)
}

// add writes what was read into a run.
func (o *observer) add(run *result.Run) {
	if o != nil && run != nil {
		run.Observed = o.watch.Observed(run.Started)
	}
}

// close ends the reading.
func (o *observer) close() {
	if o == nil {
		return
	}
	o.watch.Stop()
	for _, c := range o.clients {
		c.Close()
	}
}

// maxNamed is how many roles one note names: with the others beside them nobody
// would read why.
const maxNamed = 6

func few(roles []string) string {
	if more := len(roles) - maxNamed; more > 1 {
		return strings.Join(roles[:maxNamed], ", ") + " and " + unit.Count(int64(more)) + " more"
	}
	return strings.Join(roles, ", ")
}

// notes say which metrics were read seldom or never, and why: roles of one fault
// in one sentence.
func (o *observer) notes(run *result.Run) (all []verdict.Reason) {
	if o == nil || run == nil {
		return nil
	}
	var faults []string
	roles, lines := map[string][]string{}, map[string]int{}
	for i := range run.Observed {
		seen := &run.Observed[i]
		if seen.Missed <= len(seen.Readings) {
			continue
		}
		name := seen.Role
		if seen.Arm != "" {
			name += " (" + seen.Arm + ")"
		}
		if roles[seen.Fault] == nil {
			faults = append(faults, seen.Fault)
			lines[seen.Fault] = o.lines[seen.Role]
		}
		roles[seen.Fault] = append(roles[seen.Fault], name)
	}
	for _, fault := range faults {
		all = append(all, verdict.Reason{
			Code: "not-observed", Line: lines[fault], Message: "the target's " + few(roles[fault]) + " could not be read: " + fault,
			Remedy: "see [[observe]] of the spec; the run itself is as good without",
		})
	}
	return all
}
