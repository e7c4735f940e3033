package observe

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
)

// A scripted reader gives one outcome after the other, each as late as told.
type scripted struct {
	late    time.Duration
	results []outcome
	all     error
	reads   int
	closed  bool
}

func (s *scripted) read(ctx context.Context) ([]outcome, error) {
	s.reads++
	select {
	case <-time.After(s.late):
	case <-ctx.Done():
		return nil, errors.New("no answer in time")
	}
	if s.all != nil {
		return nil, s.all
	}
	out := s.results[0]
	if len(s.results) > 1 {
		s.results = s.results[1:]
	}
	return []outcome{out}, nil
}

func (s *scripted) close() { s.closed = true }

func source(role string, every time.Duration) Source {
	return Source{Every: every, Shown: "page", Series: []Series{{Role: role}}}
}

func values(v ...float64) (all []outcome) {
	for _, x := range v {
		all = append(all, outcome{value: x})
	}
	return all
}

func TestReadingsBeginBeforeTheLoadAndKeepTheirMoments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{results: values(1, 2, 3, 4), late: 100 * time.Millisecond}
		w := start(t.Context(), []Source{source("cpu", 5*time.Second)}, []reader{r}, nil)
		load := time.Now()
		time.Sleep(11 * time.Second)
		w.Stop()
		want := []result.Observed{{
			Role: "cpu", Source: "page", Every: 5 * time.Second,
			Readings: []result.Reading{{At: 0, Value: 1}, {At: 5 * time.Second, Value: 2}, {At: 10 * time.Second, Value: 3}},
		}}
		if diff := cmp.Diff(w.Observed(load), want); diff != "" {
			t.Errorf("readings (-got +want):\n%s", diff)
		}
		if got := w.Observed(load.Add(time.Second))[0].Readings[0].At; got != -time.Second {
			t.Errorf("a reading a second before the load is at %v", got)
		}
		if !r.closed {
			t.Error("the reader was left open")
		}
	})
}

func TestSinceTellsEachReadingOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t.Context(), []Source{source("cpu", time.Second)}, []reader{&scripted{results: values(1, 2, 3, 4, 5)}}, nil)
		defer w.Stop()
		time.Sleep(2500 * time.Millisecond)
		got := [][]result.Observed{w.Since(3 * time.Second), w.Since(4 * time.Second)}
		time.Sleep(time.Second)
		got = append(got, w.Since(5*time.Second))
		var told [][]result.Reading
		for _, each := range got {
			var readings []result.Reading
			for _, o := range each {
				readings = append(readings, o.Readings...)
			}
			told = append(told, readings)
		}
		want := [][]result.Reading{
			{{At: 3 * time.Second, Value: 1}, {At: 3 * time.Second, Value: 2}, {At: 3 * time.Second, Value: 3}}, nil, {{At: 5 * time.Second, Value: 4}},
		}
		if diff := cmp.Diff(told, want); diff != "" {
			t.Errorf("told (-got +want):\n%s", diff)
		}
	})
}

func TestFaultsAreCountedAndMasked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{results: []outcome{{err: errNotYet}, {value: 1}, {err: errors.New("hunter2 was refused " + strings.Repeat("x", 500))}}}
		w := start(t.Context(), []Source{source("cpu", time.Second)}, []reader{r}, func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") })
		time.Sleep(3500 * time.Millisecond)
		w.Stop()
		got := w.Observed(time.Now())[0]
		if len(got.Readings) != 1 || got.Missed != 2 {
			t.Errorf("%d readings and %d missed, want 1 and 2: a first one that needs another is neither", len(got.Readings), got.Missed)
		}
		if !strings.HasPrefix(got.Fault, "*** was refused") || len([]rune(got.Fault)) != maxFault {
			t.Errorf("fault %q: want it masked, and cut", got.Fault)
		}
	})
}

// A source that hangs holds up neither the load, for longer than an answer may
// take, nor the other sources.
func TestHangingSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs, works := &scripted{late: time.Hour}, &scripted{results: values(7)}
		begin := time.Now()
		w := start(t.Context(), []Source{source("cpu", time.Minute), source("memory", time.Second)}, []reader{hangs, works}, nil)
		if took := time.Since(begin); took != maxAnswer {
			t.Errorf("the load waits %v for the first readings, want %v", took, maxAnswer)
		}
		w.Stop()
		got := w.Observed(begin)
		if got[0].Missed != 1 || got[0].Fault != "no answer in time" || len(got[0].Readings) != 0 {
			t.Errorf("what hangs: %+v", got[0])
		}
		if len(got[1].Readings) != 5 && len(got[1].Readings) != 6 {
			t.Errorf("%d readings of what works in 5 s, want 5 or 6", len(got[1].Readings))
		}
	})
}

// The end of the run, or of its context, is no fault of a source.
func TestStopDuringAReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &scripted{results: values(1), late: 400 * time.Millisecond}
		w := start(ctx, []Source{source("cpu", time.Second)}, []reader{r}, nil)
		time.Sleep(time.Second - 200*time.Millisecond)
		cancel()
		w.Stop()
		got := w.Observed(time.Now())[0]
		if r.reads != 2 || len(got.Readings) != 1 || got.Missed != 0 {
			t.Errorf("%d reads, %d readings, %d missed; want 2, 1, 0", r.reads, len(got.Readings), got.Missed)
		}
	})
}

// Of a role that is there twice the first that gives numbers counts.
func TestSameRoleTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dead, alive, other := &scripted{all: errors.New("status 404")}, &scripted{results: values(1)}, &scripted{results: values(2)}
		w := start(t.Context(), []Source{source("cpu", time.Hour), source("cpu", time.Hour), source("cpu", time.Hour)}, []reader{dead, alive, other}, nil)
		w.Stop()
		got := w.Observed(time.Now())
		if len(got) != 1 || len(got[0].Readings) != 1 || got[0].Readings[0].Value != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestRefusedIsSaidOnceAndNeverRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := source("conns", time.Second)
		s.Command, s.Refused = "exit 1", "it needs --allow-exec"
		w := Start(t.Context(), []Source{s}, Options{Run: func(context.Context, string) ([]byte, error) {
			t.Error("it was run")
			return nil, nil
		}})
		time.Sleep(5 * time.Second)
		w.Stop()
		if got := w.Observed(time.Now())[0]; got.Missed != 1 || got.Fault != "it needs --allow-exec" {
			t.Errorf("%+v", got)
		}
	})
}

func TestNothingToWatch(t *testing.T) {
	t.Parallel()
	w := Start(t.Context(), nil, Options{})
	w.Stop()
	if w.Since(0) != nil || w.Observed(time.Now()) != nil {
		t.Error("something was read")
	}
}
