package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// The connections of the run in shards, and over how many processes and
// addresses of loopback they go: a process may have few more descriptors than
// 12,500, and an address has some 28,000 ports for a target.
const (
	manyUsers  = 50_000
	manyShards = 4
)

// shards drives 50,000 connections as four shards against four servers, merges
// their results, and holds the sum to what the servers counted.
func (b *bench) shards() error {
	var servers []*counter
	for i := range manyShards {
		s, err := startCounter(b.dir, fmt.Sprintf("127.0.0.%d", 1+i))
		if err != nil {
			return err
		}
		defer s.stop()
		servers = append(servers, s)
	}
	spec := filepath.Join(b.dir, "many.toml")
	text := fmt.Sprintf("name = \"many\"\n[target]\nurl = %q\n[http]\ncompression = false\n[load]\nusers = %d\nspawn_rate = \"5000/s\"\nduration = \"25s\"\n"+
		"[user]\nthink = \"0s..10s\"\n[gate]\ncompare = []\nthresholds = [\"failed < 0.001%%\"]\n[[scenario]]\nname = \"a\"\n[[scenario.step]]\nrequest = \"GET /a\"\n",
		"http://"+servers[0].addr, manyUsers)
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		return err
	}
	figures, err := b.drive(spec, servers)
	if err != nil {
		return err
	}
	merge := []string{"merge", "--fail-on", "none", "--quiet", "--json", filepath.Join(b.dir, "many.json")}
	for i := range servers {
		merge = append(merge, b.shardFile(i))
	}
	if out, err := exec.Command(b.loadline, merge...).CombinedOutput(); err != nil {
		return fmt.Errorf("merge: %w\n%s", err, out)
	}
	return b.sumUp(servers, figures)
}

func (b *bench) shardFile(i int) string {
	return filepath.Join(b.dir, fmt.Sprintf("shard-%d.json", i+1))
}

// drive runs all shards at once.
func (b *bench) drive(spec string, servers []*counter) ([]figure, error) {
	figures, errs := make([]figure, len(servers)), make([]error, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() {
			cmd := exec.Command(b.loadline, "run", "--fail-on", "none", "--quiet", "--target", "http://"+s.addr,
				"--shard", fmt.Sprintf("%d/%d", i+1, len(servers)), "--json", b.shardFile(i), spec)
			out := new(strings.Builder)
			cmd.Stdout, cmd.Stderr = out, out
			if errs[i] = cmd.Start(); errs[i] != nil {
				return
			}
			watched := make(chan struct{})
			peak := peakRSS(cmd.Process.Pid, watched)
			err := cmd.Wait()
			close(watched)
			figures[i] = figure{rss: <-peak, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
			if err != nil {
				errs[i] = fmt.Errorf("shard %d: %w\n%s", i+1, err, out)
			}
		})
	}
	all.Wait()
	return figures, errors.Join(errs...)
}

// sumUp prints what the merged result says beside what the servers counted.
func (b *bench) sumUp(servers []*counter, figures []figure) error {
	text, err := os.ReadFile(filepath.Join(b.dir, "many.json"))
	if err != nil {
		return err
	}
	var merged struct {
		Verdict struct{ Outcome string }
		Cells   []struct{ Count int64 }
		Total   struct{ Failed int64 }
		Series  []struct {
			Users int `json:"users"`
		}
	}
	if err := json.Unmarshal(text, &merged); err != nil {
		return err
	}
	var ours, counted, open int64
	for _, c := range merged.Cells {
		ours += c.Count
	}
	users := 0
	for _, s := range merged.Series {
		users = max(users, s.Users)
	}
	var rss int64
	for i, s := range servers {
		n, conns, err := s.read()
		if err != nil {
			return err
		}
		counted, open, rss = counted+n, open+conns, rss+figures[i].rss
	}
	fmt.Printf("%-44s %d at once, %s, %d failed, %d requests (the servers counted %d, on %d connections)\n", fmt.Sprintf("%d users in %d shards, merged", manyUsers, manyShards),
		users, merged.Verdict.Outcome, merged.Total.Failed, ours, counted, open)
	fmt.Printf("%-44s %.0f MiB peak in all, %.1f KiB a user\n", "", float64(rss)/(1<<20), float64(rss)/1024/manyUsers)
	if ours != counted || users != manyUsers {
		return errors.New("the shards are not the whole")
	}
	return nil
}

// A counter is an nginx that counts what it answers.
type counter struct {
	*nginx
	addr, tls, status string
	asked             int64 // how often read asked
}

func startCounter(dir, host string) (*counter, error) {
	c := &counter{addr: freeAddrOf(host), tls: freeAddrOf(host), status: freeAddrOf(host)}
	own, err := os.MkdirTemp(dir, "counter-")
	if err != nil {
		return nil, err
	}
	conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/nginx.pid; error_log stderr crit; worker_rlimit_nofile 20000;
events { worker_connections 19000; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 300;
client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
server { listen %[2]s backlog=4096; location / { default_type application/json; return 200 '%[4]s'; } }
server { listen %[5]s ssl http2 backlog=4096; ssl_certificate %[6]s/cert.pem; ssl_certificate_key %[6]s/key.pem; location / { default_type application/json; return 200 '%[4]s'; } }
server { listen %[3]s; location / { stub_status; } } }`, own, c.addr, c.status, answer, c.tls, dir)
	c.nginx, err = runNginx(own, conf)
	if err != nil {
		return nil, err
	}
	return c, reachable(c.status)
}

var stubStatus = regexp.MustCompile(`(?s)requests\s+\d+ (\d+) (\d+)`)

// read returns the requests that were answered and the connections that were
// made, without its own and that of reachable.
func (c *counter) read() (requests, connections int64, err error) {
	resp, err := http.Get("http://" + c.status)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, 0, err
	}
	m := stubStatus.FindSubmatch(text)
	if m == nil {
		return 0, 0, fmt.Errorf("%s is no status of nginx", text)
	}
	c.asked++
	connections, _ = strconv.ParseInt(string(m[1]), 10, 64)
	requests, _ = strconv.ParseInt(string(m[2]), 10, 64)
	http.DefaultClient.CloseIdleConnections()
	return requests - c.asked, connections - c.asked - 1, nil
}
