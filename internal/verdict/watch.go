package verdict

import (
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

// stopWindow is what stop_when looks at: the last ten seconds, and of those what
// belongs to the current stage.
const stopWindow = 10 * time.Second

// A Watch judges limits while a run goes on: those that abort it, those that
// every stretch of it must hold, and the conditions that end it without failing.
// Its Each is meant for load.Options. A nil Watch has seen nothing.
type Watch struct {
	names   *result.Catalog
	limits  []*watched // by limit of the gate; nil where the end is soon enough
	stops   []*watched
	stage   int
	elapsed time.Duration // of measured load
	stop    string        // the condition that ended the run
	abort   string        // the limit that did
}

// A watched limit is one that needs to be looked at every second.
type watched struct {
	limit  Limit
	window time.Duration // 0: from the start
	total  *account      // from the start
	recent []*account    // seconds of the window, oldest first
	broken *Breach
}

// NewWatch watches the limits of a gate and the conditions of stop_when. names
// must hold the stages too: they are what its tags refer to.
func NewWatch(limits, stopWhen []Limit, names *result.Catalog) *Watch {
	w := &Watch{names: names, stage: -1}
	for _, l := range limits {
		if !l.Abort && l.Window == 0 {
			w.limits = append(w.limits, nil)
			continue
		}
		w.limits = append(w.limits, &watched{limit: l, window: l.Window, total: newAccount(&l.Rule.Selector, names)})
	}
	for _, l := range stopWhen {
		w.stops = append(w.stops, &watched{limit: l, window: stopWindow})
	}
	return w
}

// Each takes in what one second brought. A non-empty answer is the reason to
// stop the run.
func (w *Watch) Each(iv *result.Interval) (stop string) {
	s := &slice{
		cells: iv.Cells, tallies: iv.Tallies, values: iv.Values, flows: iv.Flows,
		seconds: []result.Second{iv.Second},
	}
	if iv.Second.Measured {
		s.length, s.observed = time.Second, iv.Observed
		w.elapsed += time.Second
	}
	for _, l := range w.limits {
		if l != nil && w.limit(l, s) && w.abort == "" {
			w.abort = result.LimitBroke + l.limit.Rule.Text + " was broken"
		}
	}
	if w.abort != "" {
		return w.abort
	}
	if iv.Second.Stage != w.stage {
		w.stage = iv.Second.Stage
		for _, l := range w.stops {
			l.recent = nil
		}
	}
	for _, l := range w.stops {
		l.push(s, w.names)
		last := l.last()
		value, ok := last.value()
		// A window of one or two seconds says little about a new stage.
		if ok && len(l.recent) >= 3 && l.limit.Rule.Holds(value) && w.stop == "" {
			w.stop = result.StopWhen + l.limit.Rule.Text + " (" + last.shown(value) + ")"
		}
	}
	return w.stop
}

// limit looks at one limit, and reports whether it ends the run.
func (w *Watch) limit(l *watched, s *slice) (abort bool) {
	value, ok := 0.0, false
	if l.window > 0 {
		l.push(s, w.names)
		if value, ok = l.last().value(); time.Duration(len(l.recent))*time.Second < l.window {
			ok = false // the first stretch is not complete yet
		}
	} else {
		l.total.add(s)
		value, ok = l.total.value()
	}
	if !ok || w.elapsed == 0 || w.elapsed < l.limit.After || l.limit.Rule.Holds(value) {
		return false
	}
	if l.broken == nil {
		l.broken = &Breach{At: w.elapsed, Value: value}
	}
	return l.limit.Abort
}

// Breach returns where limit i of the gate was first broken; false when it was
// not, or is one that the end of the run is soon enough for.
func (w *Watch) Breach(i int) (Breach, bool) {
	if w == nil || i >= len(w.limits) || w.limits[i] == nil || w.limits[i].broken == nil {
		return Breach{}, false
	}
	return *w.limits[i].broken, true
}

// aborted reports whether a broken limit ended the run: as its watch saw it, or as
// a saved run tells.
func (in *Input) aborted() bool {
	return in.Watch != nil && in.Watch.abort != "" || strings.HasPrefix(in.Run.Stopped, result.LimitBroke)
}

// ended reports whether the run ended before its time, but as the spec asks.
func (in *Input) ended() bool {
	return in.aborted() || strings.HasPrefix(in.Run.Stopped, result.StopWhen)
}

func (l *watched) push(s *slice, names *result.Catalog) {
	a := newAccount(&l.limit.Rule.Selector, names)
	a.add(s)
	l.recent = append(l.recent, a)
	if most := int(l.window / time.Second); len(l.recent) > max(most, 1) {
		l.recent = l.recent[1:]
	}
}

// last is what the window holds.
func (l *watched) last() *account {
	sum := newAccount(&l.limit.Rule.Selector, nil)
	for _, a := range l.recent {
		sum.join(a)
	}
	return sum
}
