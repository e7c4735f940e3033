package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/ui"
	"github.com/loadline-ci/loadline/internal/unit"
)

// uiFlags ask for a live page.
type uiFlags struct {
	address  string
	wait     bool
	maxRate  string
	maxUsers int
}

func (f *uiFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.address, "ui", "", "serve a live page at `ADDR` while the run goes on: :8089 for this machine alone; another host needs the token that is printed")
	fs.BoolVar(&f.wait, "ui-wait", false, "with --ui: begin when Start is pressed on the page")
	fs.StringVar(&f.maxRate, "ui-max-rate", "", "with --ui: the highest rate `R`, such as 500/s, that the page may set (default: the load's own peak)")
	fs.IntVar(&f.maxUsers, "ui-max-users", 0, "with --ui: the most users `N` that the page may set (default: the load's own peak)")
}

// check finds mistakes before anything is sent.
func (f *uiFlags) check() (maxRate float64, err error) {
	if f.address == "" {
		if f.wait || f.maxRate != "" || f.maxUsers != 0 {
			return 0, usagef("--ui-wait, --ui-max-rate and --ui-max-users are about the live page: add --ui :8089")
		}
		return 0, nil
	}
	if f.maxUsers < 0 || f.maxUsers > plan.MaxUsers {
		return 0, usagef("--ui-max-users %d: use 1 to %d", f.maxUsers, plan.MaxUsers)
	}
	if f.maxRate == "" {
		return 0, nil
	}
	rate, err := unit.ParseRate(f.maxRate)
	if err != nil {
		return 0, usagef("--ui-max-rate: %w", err)
	}
	if rate > plan.MaxRate {
		return 0, usagef("--ui-max-rate %s: use at most %s", f.maxRate, unit.Rate(plan.MaxRate))
	}
	return rate, nil
}

// A desk is the live page of one run and what may be done there. A nil desk is
// no page.
type desk struct {
	env     *Env // once it is open
	flags   *uiFlags
	maxRate float64
	control load.Control

	server *ui.Server
	page   *report.Live
	mask   mask
	knobs  []report.Knob
	done   func() // ends the following of the run

	once    sync.Once
	started chan struct{}
}

// newDesk is nil where no page is asked for.
func newDesk(f *uiFlags) (*desk, error) {
	maxRate, err := f.check()
	if err != nil || f.address == "" {
		return nil, err
	}
	return &desk{flags: f, maxRate: maxRate, started: make(chan struct{}), done: func() {}}, nil
}

// open serves the page of a measurement that is about to begin.
func (d *desk) open(ctx context.Context, env *Env, m *measurement, hub *live.Hub) error {
	if d == nil {
		return nil
	}
	d.env, d.mask = env, m.mask
	for i, t := range m.spec.Load.Tracks {
		k := report.Knob{Track: i, Name: t.Name, Open: t.Open, Level: t.Peak(), Max: t.Peak()}
		switch {
		case t.Open && d.maxRate > 0:
			k.Max = d.maxRate
		case !t.Open && d.flags.maxUsers > 0:
			k.Max = float64(d.flags.maxUsers)
		}
		d.knobs = append(d.knobs, k)
	}
	d.page = report.NewLive(m.spec.Name, bareURL(m.spec.Target.URL), d.flags.wait, d.knobs)
	server, err := ui.Listen(ctx, ui.Options{Address: d.flags.address, Content: d, Run: d, Policy: report.LivePolicy()})
	if err != nil {
		return usagef("--ui %w", err)
	}
	d.server = server
	d.done = hub.Follow(func(row *live.Row) {
		d.page.Add(row)
		d.server.Changed()
	})
	fmt.Fprintf(d.env.Stderr, "loadline: live page at %s\n", server.URL())
	return nil
}

// ready returns when the load may begin: at once, or when Start was pressed.
func (d *desk) ready(ctx context.Context) error {
	if d == nil || !d.flags.wait {
		return nil
	}
	fmt.Fprintln(d.env.Stderr, "loadline: the load begins when Start is pressed there")
	select {
	case <-d.started:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// handover is how long the end of a run waits for browsers to take the report.
const handover = 5 * time.Second

// finish shows the report in place of the live page, to all who look.
func (d *desk) finish(page *report.Page, m mask) error {
	if d == nil || d.server == nil {
		return nil
	}
	var b strings.Builder
	if err := page.HTML(&b); err != nil {
		return err
	}
	d.server.Finish([]byte(m.String(b.String())), handover)
	return nil
}

// close ends the page.
func (d *desk) close() {
	if d == nil || d.server == nil {
		return
	}
	d.done()
	_ = d.server.Close() // there is nobody left to tell
}

// options is the control that a load is to obey; nil without a page.
func (d *desk) options() *load.Control {
	if d == nil {
		return nil
	}
	return &d.control
}

// Page and Frame are ui.Content: what a page shows, without secrets.

func (d *desk) Page(w io.Writer) error  { return d.write(w, d.page.Page) }
func (d *desk) Frame(w io.Writer) error { return d.write(w, d.page.Frame) }

func (d *desk) write(w io.Writer, make func(io.Writer) error) error {
	var b strings.Builder
	if err := make(&b); err != nil {
		return err
	}
	_, err := io.WriteString(w, d.mask.String(b.String()))
	return err
}

// Start is ui.Run.
func (d *desk) Start() error {
	if !d.flags.wait {
		return errors.New("the run has begun already")
	}
	d.once.Do(func() { close(d.started) })
	return nil
}

// stoppedOnPage is what the result says of a run that was stopped on its page.
const stoppedOnPage = "it was stopped on the live page"

// Stop is ui.Run.
func (d *desk) Stop() error { return d.control.Stop(stoppedOnPage) }

// Level is ui.Run. The page can ask for no more than it was given leave for.
func (d *desk) Level(track int, level float64) error {
	if track >= 0 && track < len(d.knobs) && level > d.knobs[track].Max {
		if k := d.knobs[track]; k.Open {
			return fmt.Errorf("%s is beyond %s; start loadline with a higher --ui-max-rate to allow it", unit.Rate(level), unit.Rate(k.Max))
		}
		return fmt.Errorf("%s users are beyond %s; start loadline with a higher --ui-max-users to allow it", unit.Number(level), unit.Number(d.knobs[track].Max))
	}
	return d.control.Hold(track, level)
}
