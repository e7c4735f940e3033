// Command bench repeats the table of docs/performance.md: what a request costs
// loadline, beside wrk, h2load, vegeta and k6 in the same minute on the same
// machine, and how honest its latencies are against targets whose truth is known.
//
//	go run ./.ci/bench -secs 3 -pairs 5
//
// It needs Linux, nginx and wrk (Debian: nginx-light, wrk); h2load (nghttp2-client),
// vegeta and k6 are measured when they are on PATH. All load stays on loopback.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	secs := flag.Int("secs", 3, "seconds of each run")
	pairs := flag.Int("pairs", 5, "interleaved pairs of each comparison")
	turn := flag.Duration("turn", 250*time.Millisecond, "length of a turn of the part turns")
	turns := flag.Int("turns", 40, "turns of each client of the part turns")
	only := flag.String("only", "", "run only this part: cost, turns, tls, h2, open, late, users, growth, peers, shards, long (ten minutes, not in the table)")
	rate := flag.Int("metronome", 0, "be the bare loop of the part late, at this rate")
	binary := flag.String("loadline", "", "measure this program instead of building one")
	target := flag.Bool("truth", false, "be the target of the parts open and users")
	flag.Parse()
	var err error
	switch b := (&bench{secs: *secs, pairs: *pairs, turn: *turn, turns: *turns, loadline: *binary}); {
	case *rate > 0:
		err = metronome(*rate, *secs)
	case *target:
		err = serveTruth()
	default:
		err = b.run(*only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench is one repetition of the table.
type bench struct {
	secs, pairs int
	turn        time.Duration
	turns       int
	dir         string
	loadline    string
	spec        string // two steps
	checks      string // two steps with three checks and a capture each
	nginx       *nginx
}

func (b *bench) run(only string) (err error) {
	if b.dir, err = os.MkdirTemp("", "loadline-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.build(); err != nil {
		return err
	}
	if b.nginx, err = startNginx(b.dir); err != nil {
		return err
	}
	defer b.nginx.stop()
	if err := b.writeSpecs(); err != nil {
		return err
	}
	for _, part := range []struct {
		name  string
		do    func() error
		asked bool // too long to be done unless it is named
	}{
		{"cost", b.cost, false},
		{"turns", b.turnsCost, false},
		{"tls", b.tls, false},
		{"h2", b.http2, false},
		{"open", b.open, false},
		{"late", b.late, false},
		{"users", b.users, false},
		{"growth", b.growth, false},
		{"peers", b.peers, false},
		{"shards", b.shards, false},
		{"long", b.long, true},
	} {
		if only != "" && part.name != only || only == "" && part.asked {
			continue
		}
		if err := part.do(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// build makes the program, unless one is named.
func (b *bench) build() (err error) {
	if b.loadline != "" {
		b.loadline, err = filepath.Abs(b.loadline)
		return err
	}
	b.loadline = filepath.Join(b.dir, "loadline")
	if out, err := exec.Command("go", "build", "-o", b.loadline, "./cmd/loadline").CombinedOutput(); err != nil {
		return fmt.Errorf("building loadline: %w\n%s", err, out)
	}
	return nil
}

func (b *bench) writeSpecs() error {
	const head = "name = \"bench\"\n[target]\nurl = \"%s\"\n[http]\ncompression = false\n[load]\nusers = 100\nduration = \"%ds\"\n[gate]\ncompare = []\n[[scenario]]\nname = \"a\"\n"
	const plain = "  [[scenario.step]]\n  request = \"GET /%s\"\n"
	const checked = plain + "  checks = [\"status == 200\", \"$.name == loadline\", \"latency < 5s\"]\n  capture = { id = \"$.id\" }\n"
	b.spec, b.checks = filepath.Join(b.dir, "plain.toml"), filepath.Join(b.dir, "checks.toml")
	text := fmt.Sprintf(head, b.nginx.url("http"), b.secs)
	if err := os.WriteFile(b.spec, []byte(text+fmt.Sprintf(plain, "a")+fmt.Sprintf(plain, "b")), 0o600); err != nil {
		return err
	}
	return os.WriteFile(b.checks, []byte(text+fmt.Sprintf(checked, "a")+fmt.Sprintf(checked, "b")), 0o600)
}

// A figure is what one run of a client came to.
type figure struct {
	requests float64
	cpu      time.Duration // user and system
	rss      int64         // peak, bytes
	latency  map[string]float64
}

func (f figure) perRequest() float64 { return float64(f.cpu.Nanoseconds()) / 1e3 / f.requests }

// invalid is the exit status of a run that is invalid.
const invalid = 3

// client runs a client pinned to the last CPU and reads its requests from its
// output.
func (b *bench) client(count func(out string) float64, args ...string) (figure, error) {
	if path, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{path, "-c", "1"}, args...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(b.secs+60)*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = b.dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return figure{}, err
	}
	watched := make(chan struct{})
	peak := peakRSS(cmd.Process.Pid, watched)
	err := cmd.Wait()
	close(watched)
	// Status 3 of ours says that the machine was too busy to measure; what was
	// measured is there all the same, and the best of several runs counts.
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != invalid) {
		return figure{}, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	f := figure{
		requests: count(out.String()), rss: <-peak, latency: lastLine(out.String()),
		cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
	}
	if f.requests == 0 {
		return f, fmt.Errorf("%s: no requests in its output:\n%s", strings.Join(args, " "), out.String())
	}
	return f, nil
}

// peakRSS reads the highest resident memory of a process until done is closed.
// What wait4 tells counts from the fork, when the child still was this program.
func peakRSS(pid int, done <-chan struct{}) <-chan int64 {
	peak := make(chan int64, 1)
	re := regexp.MustCompile(`VmHWM:\s+(\d+) kB`)
	go func() {
		var most int64
		for {
			if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err == nil {
				if m := re.FindSubmatch(status); m != nil {
					kib, _ := strconv.ParseInt(string(m[1]), 10, 64)
					most = kib << 10 // it never falls, but for the exec of taskset
				}
			}
			select {
			case <-done:
				peak <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return peak
}

// lastLine reads the latencies of `loadline bench --json`.
func lastLine(out string) map[string]float64 {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var v struct {
		Latency map[string]float64 `json:"latency_us"`
	}
	_ = json.Unmarshal([]byte(lines[len(lines)-1]), &v) // other clients print something else
	return v.Latency
}

// number reads the first group of a pattern, without thousands separators.
func number(pattern string) func(string) float64 {
	re := regexp.MustCompile(pattern)
	return func(out string) float64 {
		m := re.FindStringSubmatch(out)
		if m == nil {
			return 0
		}
		n, _ := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
		return n
	}
}

var (
	oursCount = number(`"requests":(\d+)`)
	runCount  = number(`(?m)^\s+all\s+([\d,]+)`)
	wrkCount  = number(`(\d+) requests in`)
)

func (b *bench) ours(url string, more ...string) (figure, error) {
	args := append([]string{b.loadline, "bench", url, "--duration", fmt.Sprintf("%ds", b.secs), "--quiet", "--json", "--insecure"}, more...)
	return b.client(oursCount, args...)
}

// pair compares two clients by interleaved runs, and prints the ratios.
func (b *bench) pair(what string, theirs, ours func() (figure, error)) error {
	var ratios, their, our []float64
	for range b.pairs {
		t, err := theirs()
		if err != nil {
			return err
		}
		o, err := ours()
		if err != nil {
			return err
		}
		their, our = append(their, t.perRequest()), append(our, o.perRequest())
		ratios = append(ratios, o.perRequest()/t.perRequest())
	}
	fmt.Printf("%-44s %5.2f x  (%.2f us against %.2f us; pairs %s)\n", what, median(ratios), median(our), median(their), list(ratios))
	return nil
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	return s[len(s)/2]
}

func list(xs []float64) string {
	var words []string
	for _, x := range xs {
		words = append(words, fmt.Sprintf("%.2f", x))
	}
	return strings.Join(words, " ")
}

func (b *bench) wrk(url string) func() (figure, error) {
	return func() (figure, error) {
		return b.client(wrkCount, "wrk", "-t1", "-c100", fmt.Sprintf("-d%ds", b.secs), url)
	}
}

// cost is CPU a request on plain HTTP/1.1, 100 connections, closed loop.
func (b *bench) cost() error {
	url := b.nginx.url("http") + "/a"
	run := func(spec string) func() (figure, error) {
		return func() (figure, error) { return b.client(runCount, b.loadline, "run", "--fail-on", "none", spec) }
	}
	for _, p := range []struct {
		what string
		ours func() (figure, error)
	}{
		{"CPU a request, bench / wrk", func() (figure, error) { return b.ours(url, "--connections", "100") }},
		{"CPU a request, run of two steps / wrk", run(b.spec)},
		{"the same, three checks and a capture / wrk", run(b.checks)},
	} {
		if err := b.pair(p.what, b.wrk(url), p.ours); err != nil {
			return err
		}
	}
	return b.pair("three checks and a capture / none", run(b.spec), run(b.checks))
}

func (b *bench) tls() error {
	url := b.nginx.url("https") + "/a"
	return b.pair("TLS, HTTP/1.1, bench / wrk", b.wrk(url), func() (figure, error) {
		return b.ours(url, "--connections", "100", "--http", "1.1")
	})
}

func (b *bench) http2() error {
	if _, err := exec.LookPath("h2load"); err != nil {
		fmt.Println("HTTP/2: h2load is not installed")
		return nil
	}
	url := b.nginx.url("https") + "/a"
	return b.pair("TLS, HTTP/2, bench / h2load", func() (figure, error) {
		return b.client(number(`requests: (\d+) total`), "h2load", "-t1", "-c50", "-m1", fmt.Sprintf("-D%d", b.secs), url)
	}, func() (figure, error) {
		return b.ours(url, "--connections", "50", "--http", "2")
	})
}

// peers are other tools on the same load.
func (b *bench) peers() error {
	url := b.nginx.url("http") + "/a"
	ours := func() (figure, error) { return b.ours(url, "--connections", "100") }
	if _, err := exec.LookPath("vegeta"); err == nil {
		attack := fmt.Sprintf("echo GET %s | vegeta attack -rate=0 -max-workers=100 -duration=%ds | vegeta report", url, b.secs)
		if err := b.pair("bench / vegeta", func() (figure, error) {
			return b.client(number(`Requests\s+\[total, rate, throughput\]\s+(\d+)`), "sh", "-c", attack)
		}, ours); err != nil {
			return err
		}
	}
	if _, err := exec.LookPath("k6"); err == nil {
		script := filepath.Join(b.dir, "k6.js")
		text := fmt.Sprintf("import http from 'k6/http';\nexport const options = { vus: 100, duration: '%ds' };\nexport default function () { http.get('%s'); }\n", b.secs, url)
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			return err
		}
		return b.pair("bench / k6", func() (figure, error) {
			return b.client(number(`http_reqs\S*\s+(\d+)`), "k6", "run", "--quiet", script)
		}, ours)
	}
	return nil
}
