package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// maxAlarms is how many one tracking issue holds, so that what it hides of them
// fits.
const maxAlarms = 20

// An alarmKind is what got worse.
type alarmKind string

const (
	alarmCreep  alarmKind = "creep"  // slower bit by bit, over many merges
	alarmSlower alarmKind = "slower" // called by the comparison with stored runs
	alarmLimit  alarmKind = "limit"  // an absolute limit does not hold
)

// An alarm is something that got worse on the main branch, as the issue remembers
// it.
type alarm struct {
	Kind   alarmKind `json:"kind"`
	Row    string    `json:"row"` // digest of scenario and step; of a limit's text
	Metric string    `json:"metric,omitempty"`
	What   string    `json:"what"` // shown
	Came   string    `json:"came"` // shown: "+12 %"
	Since  string    `json:"since,omitempty"`
	// Base and Head are what a slower row came to before and then, in the units of a
	// finding; both 0 of limits, and of all steps together.
	Base float64 `json:"base,omitempty"`
	Head float64 `json:"head,omitempty"`
	// Told says that a person closed the issue on it: it is known, and rings no more.
	Told bool `json:"told,omitempty"`
}

// is says whether two alarms are of the same thing.
func (a *alarm) is(b *alarm) bool { return a.Kind == b.Kind && a.Row == b.Row && a.Metric == b.Metric }

func rowDigest(scenario, step string) string {
	sum := sha256.Sum256([]byte(scenario + "\x00" + step))
	return hex.EncodeToString(sum[:6])
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-3], "") + "…"
}

// tracks says whether this event is one that the tracking issue tells of.
func (c *ciRun) tracks() bool {
	onMain := c.event.OnDefaultBranch() || c.event.Name == github.EventSchedule
	return c.in.tracking != "never" && onMain && c.store.mayUpdate()
}

// track keeps the one issue that tells of what got worse on the main branch: opened
// with the first alarm, closed when none holds any more. It changes no verdict.
func (c *ciRun) track(ctx context.Context, all []*measurement, hide func(string) string) (url string) {
	if c.client == nil || !c.tracks() {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	for _, m := range all {
		if m.verdict.Head == nil || m.verdict.Outcome == verdict.Invalid || m.run.Interrupted {
			continue // it says nothing
		}
		url = cmp.Or(url, c.trackOne(ctx, m, hide))
	}
	return url
}

func (c *ciRun) trackOne(ctx context.Context, m *measurement, hide func(string) string) (url string) {
	key := "track/" + c.key([]*measurement{m})
	now := c.alarms(m)
	issue, err := c.client.Tracking(ctx, key)
	if err != nil {
		if len(now) > 0 || !github.MayNot(err) { // else there was nothing to say
			c.note("%s: %v", m.spec.Name, err)
		}
		return ""
	}
	var before []alarm
	if issue != nil {
		// What cannot be read was written by somebody else; it counts as nothing.
		_ = json.Unmarshal(issue.Hidden, &before)
		for i := range before {
			before[i].Told = before[i].Told || !issue.Open
		}
	}
	next := stillRinging(before, now, m)
	rings := slices.ContainsFunc(next, func(a alarm) bool { return !a.Told })
	if !rings && (issue == nil || !issue.Open && len(next) == len(before)) {
		return ""
	}
	posted, err := c.client.Track(ctx, issue, c.issueOf(m, key, next, rings, hide))
	if err != nil {
		c.note("%s: %v", m.spec.Name, err)
	}
	return posted.URL
}

// issueOf is the issue as it is to be. What it remembers while it is closed is what
// a person closed it on.
func (c *ciRun) issueOf(m *measurement, key string, next []alarm, rings bool, hide func(string) string) github.Issue {
	t := report.TrackingIssue{
		Spec: m.spec.Name, Environment: m.run.Environment.Label, Profile: m.run.Profile, Branch: cmp.Or(c.event.DefaultBranch, "main"),
		HeadSHA: c.commit(), RunURL: c.event.RunURL(), Reproduce: reproduce(m.spec.File, &measureFlags{target: m.run.Target, profile: m.run.Profile, allowExec: c.in.exec}),
		HelpURL: docsURL + "action.md#the-tracking-issue",
	}
	t.Known = !rings
	// What is shown comes first, so that it is remembered before all else.
	var shown, beside []alarm
	for _, a := range next {
		if a.Told == rings { // known, beside what rings
			beside = append(beside, a)
		} else {
			shown = append(shown, a)
		}
	}
	for _, a := range shown[:min(len(shown), maxAlarms)] {
		t.Alarms = append(t.Alarms, report.Alarm{What: a.What, Came: a.Came, Since: a.Since})
	}
	t.More = len(shown) - len(t.Alarms)
	next = slices.Concat(shown, beside)
	var hidden []byte
	if len(next) > 0 {
		hidden, _ = json.Marshal(next[:min(len(next), maxAlarms)]) // strings, numbers and booleans
	}
	return github.Issue{Title: hide(t.Title()), Open: rings, Comment: github.Comment{
		Key: key, Run: c.event.RunID, Attempt: c.event.RunAttempt, SHA: c.commit(), Body: hide(t.Markdown()), Hidden: hidden,
	}}
}

// alarms are what a run says got worse, and nobody accepted.
func (c *ciRun) alarms(m *measurement) []alarm {
	var all []alarm
	for _, t := range m.verdict.Trend {
		if t.Percent <= 0 {
			continue
		}
		a := alarm{
			Kind: alarmCreep, Row: rowDigest(t.Scenario, t.Step), Metric: t.Metric, What: cmp.Or(t.Step, "the middle of all steps") + " " + t.Metric,
			Came: unit.Change(t.Percent/100) + " bit by bit", Since: t.From,
		}
		if f := a.row(m); f != nil {
			a.Base, a.Head = f.Head/(1+t.Percent/100), f.Head
		}
		all = append(all, a)
	}
	for _, f := range m.verdict.Findings {
		if f.Call == verdict.Slower && !f.Warn && f.Accepted == nil {
			all = append(all, alarm{
				Kind: alarmSlower, Row: rowDigest(f.Scenario, f.Step), Metric: f.Metric, What: cmp.Or(f.Step, f.Scenario, "the whole run") + " " + f.Metric,
				Came: report.Change(&f), Since: c.commit(), Base: f.Base, Head: f.Head,
			})
		}
	}
	for _, l := range m.verdict.Limits {
		if !l.OK && !l.Warn {
			all = append(all, alarm{Kind: alarmLimit, Row: rowDigest("", l.Limit), What: l.Limit, Came: l.Shown, Since: c.commit()})
		}
	}
	for i := range all {
		a := &all[i]
		a.What, a.Came, a.Since = cut(a.What, 60), cut(a.Came, 30), shortSHA(a.Since)
	}
	return all
}

// stillRinging are the alarms of a run, and those before it that hold still.
func stillRinging(before, now []alarm, m *measurement) []alarm {
	var next []alarm
	for _, a := range before {
		at := slices.IndexFunc(now, func(n alarm) bool { return n.is(&a) })
		switch {
		case at < 0 && holds(&a, m):
			next = append(next, a)
		case at < 0:
		case a.Kind == alarmSlower && a.Told: // slower again than what a person took
		default:
			a.Came, a.Head = now[at].Came, now[at].Head
			next, now = append(next, a), slices.Delete(now, at, at+1)
		}
	}
	return append(next, now...)
}

// holds says whether an alarm goes on that a run did not raise. A row that was
// called slower is compared with itself from then on, as its run began a new level,
// and one that crept is told of only while it creeps. So either holds until the row
// is half way back to where it was, is called faster, or is no longer in the spec.
func holds(a *alarm, m *measurement) bool {
	f := a.row(m)
	switch {
	case a.Kind == alarmLimit: // judged in every run
		return false
	case a.Head == 0: // all steps together: no row says
		return !m.trend
	case f != nil:
		return f.Call != verdict.Faster && (f.Head-(a.Base+a.Head)/2)*(a.Head-a.Base) > 0
	}
	// Not judged this time.
	return slices.ContainsFunc(m.verdict.Head.Rows, func(r result.Row) bool { return rowDigest(r.Scenario, r.Step) == a.Row })
}

// row is what a run says of the alarm's row; nil: nothing.
func (a *alarm) row(m *measurement) *verdict.Finding {
	for i, f := range m.verdict.Findings {
		if f.Metric == a.Metric && f.Call != verdict.NotJudged && rowDigest(f.Scenario, f.Step) == a.Row {
			return &m.verdict.Findings[i]
		}
	}
	return nil
}
