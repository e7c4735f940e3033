// Package observe reads the target's own metrics while the load runs: from a page
// as Prometheus reads it, from a Prometheus server, from what a command prints,
// or from the lines of a log. What the numbers mean is for others; that they
// could not be read is data too, and stops nothing.
package observe

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/wire"
)

// A Source is one place where metrics are read. One of Page, Prometheus, Command
// and Log is set.
type Source struct {
	Page       string // URL of a page of metrics
	Prometheus string // URL of a Prometheus server, to which /api/v1/query is added
	Command    string // command line that prints a number
	Log        string // path of a file whose new lines are counted

	Header  []wire.Field   // of Page and Prometheus
	Pattern *regexp.Regexp // Command: its first group is the number, nil: all that is printed; Log: the lines that count
	Every   time.Duration
	Series  []Series // Command and Log: one
	Arm     string   // "base" or "head" of a paired run, where it is read from one of them
	Shown   string   // the source in words for people: no credentials, no query
	// Refused says why it must not be read: then it is not, and that is its fault.
	Refused string
}

// A Series is one number to read from a Source.
type Series struct {
	Role  string
	Expr  *rule.Expr // Page
	Query string     // Prometheus: PromQL
	Unit  unit.Base
	Limit float64
}

// Options is what reading needs beside its sources.
type Options struct {
	// Session gives the client that reads source i, a Page or a Prometheus. It is
	// closed with Stop.
	Session func(i int) Session
	// Run runs a command line and returns what it printed to standard output.
	Run func(ctx context.Context, command string) ([]byte, error)
	// Mask hides secrets in what is said of sources and faults; nil: there are none.
	Mask func(string) string
}

// A Session sends one request at a time; *wire.Session is one.
type Session interface {
	wire.Doer
	Close()
}

// maxAnswer is how long a source may take to answer, where Every is not less.
const maxAnswer = 5 * time.Second

// maxFault is how much of an error is kept.
const maxFault = 300

// A Watch reads its sources, each in its own time, from Start to Stop. A nil
// Watch has read nothing.
type Watch struct {
	mask    func(string) string
	cancel  context.CancelFunc
	readers sync.WaitGroup

	mu   sync.Mutex
	kept []*kept // in the order of the spec
}

// kept is what one series came to.
type kept struct {
	result.Observed
	moments []time.Time // of its Readings
	told    int         // of its Readings, by Since
}

// A reader reads one source. An error stands for all of its series.
type reader interface {
	read(ctx context.Context) ([]outcome, error)
	close()
}

// An outcome is what one series of a source came to: a value, or why there is
// none; errNotYet: it needs another reading before it.
type outcome struct {
	value float64
	err   error
}

// errNotYet is the outcome of what is counted from one reading to the next, at
// the first of them.
var errNotYet = errors.New("it is counted from one reading to the next")

// Start reads each source once, all at the same time, and goes on until Stop or
// until ctx is done. It returns when every source has answered or taken too long.
// Without sources it returns nil.
func Start(ctx context.Context, sources []Source, opt Options) *Watch {
	if len(sources) == 0 {
		return nil
	}
	readers := make([]reader, len(sources))
	for i := range sources {
		readers[i] = newReader(i, &sources[i], opt)
	}
	return start(ctx, sources, readers, opt.Mask)
}

func newReader(i int, s *Source, opt Options) reader {
	switch {
	case s.Refused != "":
		return refused(s.Refused)
	case s.Page != "":
		return newPage(s, opt.Session(i))
	case s.Prometheus != "":
		return newPrometheus(s, opt.Session(i))
	case s.Command != "":
		return &command{line: s.Command, pattern: s.Pattern, run: opt.Run}
	default:
		return newLog(s)
	}
}

func start(ctx context.Context, sources []Source, readers []reader, mask func(string) string) *Watch {
	if mask == nil {
		mask = func(s string) string { return s }
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &Watch{mask: mask, cancel: cancel}
	var first sync.WaitGroup
	for i := range sources {
		s := &sources[i]
		var own []*kept
		for _, series := range s.Series {
			own = append(own, &kept{Observed: result.Observed{
				Role: series.Role, Arm: s.Arm, Source: mask(series.shown(s)), Unit: series.Unit, Limit: series.Limit, Every: s.Every,
			}})
		}
		w.kept = append(w.kept, own...)
		first.Add(1)
		w.readers.Go(func() { w.follow(ctx, readers[i], own, s.Every, first.Done) })
	}
	first.Wait()
	return w
}

// shown says what a series reads, and where.
func (s *Series) shown(from *Source) string {
	switch {
	case s.Expr != nil:
		return from.Shown + ": " + s.Expr.String()
	case s.Query != "":
		return from.Shown + ": " + s.Query
	default:
		return from.Shown
	}
}

// follow reads one source until ctx is done.
func (w *Watch) follow(ctx context.Context, r reader, own []*kept, every time.Duration, first func()) {
	defer r.close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	w.once(ctx, r, own, every)
	first()
	if _, no := r.(refused); no {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.once(ctx, r, own, every)
		}
	}
}

// once reads a source and keeps what came of it.
func (w *Watch) once(ctx context.Context, r reader, own []*kept, every time.Duration) {
	limited, cancel := context.WithTimeout(ctx, min(every, maxAnswer))
	defer cancel()
	all, err := r.read(limited)
	at := time.Now()
	if ctx.Err() != nil {
		return // cut off by the end of the run: neither a reading nor a fault
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, k := range own {
		why := err
		if err == nil {
			why = all[i].err
		}
		switch {
		case why == nil:
			k.Readings = append(k.Readings, result.Reading{Value: all[i].value})
			k.moments = append(k.moments, at)
		case errors.Is(why, errNotYet) || errors.Is(why, rule.ErrFirstPage):
		default:
			k.Missed++
			k.Fault = cut(w.mask(why.Error()))
		}
	}
}

func cut(s string) string {
	if runes := []rune(s); len(runes) > maxFault {
		return string(runes[:maxFault-1]) + "…"
	}
	return s
}

// Stop ends the reading, and waits until it has ended.
func (w *Watch) Stop() {
	if w == nil {
		return
	}
	w.cancel()
	w.readers.Wait()
}

// Since returns the metrics with what was read of them since the last call, all
// as of one moment at since the start of the load.
func (w *Watch) Since(at time.Duration) []result.Observed {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []result.Observed
	for _, k := range w.chosen() {
		if k.told == len(k.Readings) {
			continue
		}
		o := k.Observed
		o.Readings = slices.Clone(o.Readings[k.told:])
		for i := range o.Readings {
			o.Readings[i].At = at
		}
		k.told = len(k.Readings)
		all = append(all, o)
	}
	return all
}

// Observed returns all that was read, its moments counted from the start of the
// load.
func (w *Watch) Observed(start time.Time) []result.Observed {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []result.Observed
	for _, k := range w.chosen() {
		o := k.Observed
		o.Readings = slices.Clone(o.Readings)
		for i, at := range k.moments {
			o.Readings[i].At = at.Sub(start)
		}
		all = append(all, o)
	}
	return all
}

// chosen is one series for each role: of several with one name the first that has
// told anything, as the spec's rule is.
func (w *Watch) chosen() []*kept {
	var all []*kept
	for _, k := range w.kept {
		i := slices.IndexFunc(all, func(have *kept) bool { return have.Role == k.Role && have.Arm == k.Arm })
		switch {
		case i < 0:
			all = append(all, k)
		case len(all[i].Readings) == 0 && len(k.Readings) > 0:
			all[i] = k
		}
	}
	return all
}

// refused is the reader of a source that must not be read.
type refused string

func (r refused) read(context.Context) ([]outcome, error) { return nil, errors.New(string(r)) }
func (refused) close()                                    {}
