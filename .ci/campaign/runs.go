package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A what is one run of the plan: which target, and which route of the head is
// slower by how many percent of its own time; "" and 0 when nothing differs.
type what struct {
	Target  string  `json:"target"`
	Route   string  `json:"route,omitempty"`
	Percent float64 `json:"percent,omitempty"`
	Keep    bool    `json:"keep,omitempty"` // to be stored, for others to be judged against
}

func (w what) String() string {
	if w.Keep {
		return w.Target + ", stored"
	}
	if w.Percent == 0 {
		return w.Target + ", unchanged"
	}
	return fmt.Sprintf("%s %s +%g%%", w.Target, w.Route, w.Percent)
}

// plan lists all runs in the order in which they are made, which the seed
// shuffles: what changes on the machine in the course of an hour then falls on all
// kinds of run alike.
func (c *campaign) plan() ([]what, error) {
	var planted []what
	for text := range strings.SplitSeq(c.planted, ",") {
		percent, err := strconv.ParseFloat(text, 64)
		if err != nil || percent <= 0 {
			return nil, fmt.Errorf("-planted %s: want percents such as 10,20", c.planted)
		}
		for _, t := range c.targets {
			for _, route := range t.slowed {
				planted = append(planted, what{Target: t.name, Route: route, Percent: percent})
			}
		}
	}
	var all []what
	for i := range c.aa {
		all = append(all, what{Target: c.targets[i%len(c.targets)].name})
	}
	for i := range c.ab {
		all = append(all, planted[i%len(planted)])
	}
	rand.New(rand.NewPCG(c.seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var first []what
	for range c.stored {
		for _, t := range c.targets {
			first = append(first, what{Target: t.name, Keep: true})
		}
	}
	return append(first, all...), nil
}

// A record is one run as it stands in runs.jsonl.
type record struct {
	Run int `json:"run"` // number in the plan
	what
	OwnMS    float64   `json:"own_ms,omitempty"` // the time of which Percent is a share
	Started  time.Time `json:"started"`
	WallS    float64   `json:"wall_s"`
	MostS    float64   `json:"most_load_s"` // -load
	LoadS    float64   `json:"load_s"`      // of both sides together, driven
	Restarts int       `json:"restarts"`
	Exit     int       `json:"exit"`
	Outcome  string    `json:"outcome"`
	Reasons  []reason  `json:"reasons"`
	Findings []finding `json:"findings"`
	Visible  float64   `json:"visible_percent"`
	LagP99   float64   `json:"lag_p99_us"`
	Steal    float64   `json:"steal_percent"`
	Others   float64   `json:"others_percent"` // CPU that others used just before the run
}

type reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

type finding struct {
	Step   string  `json:"step"`
	Metric string  `json:"metric"`
	Base   float64 `json:"base"`
	Head   float64 `json:"head"`
	Change float64 `json:"change_percent"`
	Low    float64 `json:"low_percent"`
	High   float64 `json:"high_percent"`
	Limit  float64 `json:"limit_percent"`
	Call   string  `json:"call"`
}

// calibrate compares each target once with itself, as the manual advises, so that
// ab knows of deployments of this machine. What it says is kept.
func (c *campaign) calibrate(ctx context.Context) error {
	for _, t := range c.targets {
		out := filepath.Join(c.dir, "calibration-"+t.name+".json")
		if _, err := os.Stat(out); err == nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "calibrating %s\n", t.name)
		said, exit, err := c.loadlineRun(ctx, "calibrate", t, what{Target: t.name}, out)
		if err != nil {
			return fmt.Errorf("calibrating %s: %w\n%s", t.name, err, said)
		}
		if exit != 0 { // ab is as careful then as on any machine it does not know
			fmt.Fprintf(os.Stderr, "%s was not calibrated, exit status %d: %s\n", t.name, exit, said)
		}
	}
	return nil
}

// once makes one run and reads what came of it. Both sides are new processes,
// which loadline starts and stops.
func (c *campaign) once(ctx context.Context, number int, w what) (record, error) {
	r := record{Run: number, what: w, MostS: c.load.Seconds(), Others: others(300 * time.Millisecond), Started: time.Now().UTC()}
	t := c.targets[slices.IndexFunc(c.targets, func(t target) bool { return t.name == w.Target })]
	if w.Percent > 0 {
		r.OwnMS = float64(t.own(w.Route)) / 1e6
	}
	file := filepath.Join(c.dir, "results", fmt.Sprintf("%03d.json", number))
	begun := time.Now()
	run := c.singleRun
	if c.stored == 0 {
		run = func(ctx context.Context, t target, w what, out string, more ...string) (string, int, error) {
			return c.loadlineRun(ctx, "ab", t, w, out, more...)
		}
	}
	said, exit, err := run(ctx, t, w, file, "--seed", strconv.Itoa(number+1))
	r.WallS, r.Exit = time.Since(begun).Seconds(), exit
	if err != nil {
		return r, fmt.Errorf("%w\n%s", err, said)
	}
	return r, r.read(file)
}

// loadlineRun runs loadline once on both sides, which it starts itself.
func (c *campaign) loadlineRun(ctx context.Context, command string, t target, w what, out string, more ...string) (said string, exit int, err error) {
	dir, err := os.MkdirTemp("", "loadline-campaign-")
	if err != nil {
		return "", 0, err
	}
	defer os.RemoveAll(dir)
	args := []string{
		command, filepath.Join(c.dir, t.name+".toml"), "--duration", c.load.String(), "--json", out,
		"--baseline-dir", filepath.Join(c.dir, "baselines"), "--quiet",
	}
	for _, side := range []string{"base", "head"} {
		addr, err := freeAddr()
		if err != nil {
			return "", 0, err
		}
		own := filepath.Join(dir, side)
		if err := os.Mkdir(own, 0o755); err != nil {
			return "", 0, err
		}
		percent := w.Percent
		if side == "base" {
			percent = 0
		}
		start, err := t.start(own, addr, w.Route, percent)
		if err != nil {
			return "", 0, err
		}
		args = append(args, "--"+side, "http://"+addr, "--"+side+"-start", start)
	}
	return c.verdictOf(ctx, append(args, more...))
}

// verdictOf runs loadline once; an exit status of a verdict is no error.
func (c *campaign) verdictOf(ctx context.Context, args []string) (said string, exit int, err error) {
	cmd := exec.CommandContext(ctx, c.loadline, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // so that it stops both sides
	cmd.WaitDelay = 15 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err = cmd.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.ExitCode() >= 1 && failed.ExitCode() <= 5 && failed.ExitCode() != 2 {
		return output.String(), failed.ExitCode(), nil
	}
	return output.String(), 0, err
}

// read takes over what the result file says.
func (r *record) read(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var doc struct {
		Verdict struct {
			Outcome  string    `json:"outcome"`
			Reasons  []reason  `json:"reasons"`
			Findings []finding `json:"findings"`
			Base     struct {
				Visible float64 `json:"visible_percent"`
			} `json:"base"`
		} `json:"verdict"`
		Run struct {
			Generator struct {
				Lag struct {
					P99 float64 `json:"p99"`
				} `json:"lag_us"`
				Steal float64 `json:"steal_percent"`
			} `json:"generator"`
		} `json:"run"`
		Rounds []struct {
			Length   float64 `json:"length_s"`
			Restarts int     `json:"restarts"`
		} `json:"rounds"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	v := doc.Verdict
	r.Outcome, r.Reasons, r.Findings, r.Visible = v.Outcome, v.Reasons, v.Findings, v.Base.Visible
	r.LagP99, r.Steal = doc.Run.Generator.Lag.P99, doc.Run.Generator.Steal
	for _, round := range doc.Rounds {
		r.LoadS += round.Length
		r.Restarts = max(r.Restarts, round.Restarts)
	}
	return nil
}

// A runLog is runs.jsonl: a line for each run that was made.
type runLog struct {
	file *os.File
	all  []record
}

// openLog reads the runs that were made, which must be of the same plan.
func openLog(name string, plan []what, load time.Duration) (*runLog, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	l := &runLog{file: f}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, errors.Join(fmt.Errorf("%s:%d: %w", name, n, err), f.Close())
		}
		if r.Run < 0 || r.Run >= len(plan) || r.what != plan[r.Run] || r.MostS != load.Seconds() {
			return nil, errors.Join(fmt.Errorf("%s:%d: this is another campaign; use its flags, or another -out", name, n), f.Close())
		}
		l.all = append(l.all, r)
	}
	if err := lines.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return l, nil
}

func (l *runLog) has(run int) bool {
	return slices.ContainsFunc(l.all, func(r record) bool { return r.Run == run })
}

func (l *runLog) add(r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	l.all = append(l.all, r)
	_, err = l.file.Write(append(data, '\n'))
	return err
}

func (l *runLog) close() error { return l.file.Close() }
