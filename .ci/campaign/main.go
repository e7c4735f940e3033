// Command campaign measures how far the verdict of `loadline ab` can be trusted on
// this machine: real runs against real processes on loopback, freshly started for
// each, some of them with one route of the head made slower by a known amount.
//
//	go run ./.ci/campaign -out /tmp/campaign
//	go run ./.ci/campaign -out /tmp/stored -stored 10
//
// The second command measures `loadline run` in the same way, against stored runs.
// It writes runs.jsonl, a line for each run, and summary.md, and goes on where it
// was stopped when it is started again with the same flags. It needs Linux and
// nginx (Debian: nginx-light), and installs go-httpbin when it is not on PATH.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		fail(serve(os.Args[2:]))
		return
	}
	var c campaign
	flag.IntVar(&c.aa, "aa", 100, "runs in which nothing differs")
	flag.IntVar(&c.ab, "ab", 40, "runs in which one route of the head is slower")
	flag.DurationVar(&c.load, "load", 24*time.Second, "most load of one run on both sides together, 9s to 24s: a run with a restart then ends within 40 s")
	flag.IntVar(&c.stored, "stored", 0, "judge single runs against so many stored ones of their target, which are made first; 0: base and head in one run")
	flag.StringVar(&c.planted, "planted", "10,20,50", "slowdowns to plant, in percent of the route's own time")
	flag.StringVar(&c.rate, "rate", "200/s", "walks through all routes of a target")
	flag.Uint64Var(&c.seed, "seed", 1, "of the order of the runs")
	flag.StringVar(&c.dir, "out", "", "`folder` for runs.jsonl, summary.md and the results of the runs; what is there is continued")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fail(c.run(ctx))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "campaign:", err)
		os.Exit(1)
	}
}

// A campaign is a number of runs, some of them already made.
type campaign struct {
	aa, ab  int
	stored  int
	load    time.Duration
	planted string
	rate    string
	seed    uint64
	dir     string

	loadline string // the program under test
	self     string // this program, which serves the small target too
	httpbin  string
	nginx    string
	targets  []target
	log      *runLog
}

// run makes the runs that are still to be made. However it ends, the summary
// tells of those that were.
func (c *campaign) run(ctx context.Context) (err error) {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	plan, err := c.plan()
	if err != nil {
		return err
	}
	if c.log, err = openLog(filepath.Join(c.dir, "runs.jsonl"), plan, c.load); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.log.close(), c.summarize()) }()
	if c.stored == 0 {
		if err := c.calibrate(ctx); err != nil {
			return err
		}
	}
	begun, made := time.Now(), 0
	for i, what := range plan {
		if c.log.has(i) {
			continue
		}
		made++
		r, err := c.once(ctx, i, what)
		if ctx.Err() != nil {
			fmt.Fprintln(os.Stderr, "campaign: stopped; the same command goes on here")
			return nil
		}
		if err != nil {
			return fmt.Errorf("run %d, %s: %w", i, what, err)
		}
		if err := c.log.add(r); err != nil {
			return err
		}
		left := time.Duration(len(plan)-len(c.log.all)) * time.Since(begun) / time.Duration(made)
		fmt.Fprintf(os.Stderr, "%3d of %d  %-28s %-12s %4.1f s, %s left\n", len(c.log.all), len(plan), what, r.Outcome, r.WallS, left.Round(time.Second))
	}
	return nil
}

// prepare builds what is run, and lays out the targets.
func (c *campaign) prepare(ctx context.Context) (err error) {
	if c.load < 9*time.Second || c.load > 24*time.Second {
		return fmt.Errorf("-load %s: it can be 9s to 24s", c.load)
	}
	if c.dir == "" {
		return errors.New("-out is missing: name a folder")
	}
	if c.dir, err = filepath.Abs(c.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "results"), 0o755); err != nil {
		return err
	}
	if c.self, err = os.Executable(); err != nil {
		return err
	}
	c.loadline = filepath.Join(c.dir, "loadline")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", c.loadline, "./cmd/loadline").CombinedOutput(); err != nil {
		return fmt.Errorf("building loadline: %w\n%s", err, out)
	}
	if c.nginx, err = exec.LookPath("nginx"); err != nil {
		if c.nginx, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			return errors.New("nginx is missing: apt-get install nginx-light")
		}
	}
	if c.httpbin, err = foreign(ctx); err != nil {
		return err
	}
	c.targets = []target{ownService(c), httpbin(c)}
	for _, t := range c.targets {
		if err := os.WriteFile(filepath.Join(c.dir, t.name+".toml"), []byte(t.spec(c.rate)), 0o600); err != nil {
			return err
		}
	}
	return nil
}

const httpbinModule = "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.26.0"

// foreign is the path of go-httpbin, which is installed when it is not there.
func foreign(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("go-httpbin"); err == nil {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "loadline-campaign")
	cmd := exec.CommandContext(ctx, "go", "install", httpbinModule)
	cmd.Env = append(os.Environ(), "GOBIN="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing %s: %w\n%s", httpbinModule, err, out)
	}
	return filepath.Join(dir, "go-httpbin"), nil
}
