package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/cli"
)

const uiSpec = `name = "watched"
[target]
url = %q
[load]
rate = "50/s"
duration = "30s"
[[scenario]]
name = "main"
  [[scenario.step]]
  request = "GET /a"
`

var pageAddress = regexp.MustCompile(`live page at (\S+)`)

// TestLivePage does what a person at the page does: starts the load, sets
// another rate, asks for too much, stops, and is given the report.
func TestLivePage(t *testing.T) {
	t.Parallel()
	target := newTarget()
	t.Cleanup(target.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "s.toml"), fmt.Appendf(nil, uiSpec, target.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	stderr, told := io.Pipe()
	var stdout bytes.Buffer
	exit := make(chan cli.Exit, 1)
	go func() {
		exit <- cli.Run(ctx, &cli.Env{
			Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: told, Dir: dir,
			Getenv: func(string) (string, bool) { return "", false }, Environ: func() []string { return nil },
		}, []string{"run", "s.toml", "--ui", ":0", "--ui-wait", "--ui-max-rate", "200/s", "--json", "r.json"})
		_ = told.Close()
	}()
	lines := bufio.NewScanner(stderr)
	page := ""
	for page == "" && lines.Scan() {
		if m := pageAddress.FindStringSubmatch(lines.Text()); m != nil {
			page = m[1]
		}
	}
	if page == "" {
		t.Fatalf("no address; the run ended with %d", <-exit)
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }() // until the run closes it

	call := func(method, path, body string) (int, string) {
		r, err := http.NewRequestWithContext(ctx, method, page+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Error(err)
		}
		return answer.StatusCode, string(text)
	}
	if status, text := call("GET", "", ""); status != http.StatusOK || !strings.Contains(text, "watched") {
		t.Fatalf("the page: %d %.200s", status, text)
	}
	if n := target.requests.Load(); n != 0 {
		t.Errorf("%d requests before the start", n)
	}
	if status, _ := call("POST", "level", `{"level":80}`); status != http.StatusConflict {
		t.Errorf("a level before the start: %d", status)
	}
	if status, text := call("POST", "start", "{}"); status != http.StatusNoContent {
		t.Fatalf("start: %d %s", status, text)
	}
	events := make(chan string, 1)
	go func() { _, text := call("GET", "events", ""); events <- text }()
	for deadline := time.Now().Add(20 * time.Second); ; { // until the load runs
		status, text := call("POST", "level", `{"track":0,"level":120}`)
		if status == http.StatusNoContent {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("level: %d %s", status, text)
		}
	}
	if status, text := call("POST", "level", `{"track":0,"level":201}`); status != http.StatusConflict || !strings.Contains(text, "--ui-max-rate") {
		t.Errorf("more than is allowed: %d %s", status, text)
	}
	if !target.waitFor(50, 20*time.Second) {
		t.Fatal("the load does not run")
	}
	if status, text := call("POST", "stop", "{}"); status != http.StatusNoContent {
		t.Errorf("stop: %d %s", status, text)
	}
	if text := <-events; !strings.Contains(text, "event: frame") || !strings.HasSuffix(text, "event: done\ndata: {}\n\n") {
		t.Errorf("the events end with %.200q", text[max(0, len(text)-200):])
	}
	if status, text := call("GET", "report", ""); status != http.StatusOK || !strings.Contains(text, "stopped on the live page") {
		t.Errorf("the report: %d %.200s", status, text)
	}
	if got := <-exit; got != cli.ExitInvalid {
		t.Errorf("a run that was stopped exits with %d", got)
	}
	text, err := os.ReadFile(filepath.Join(dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Run struct {
			Stopped string
			Changes []struct {
				Rate float64 `json:"rate_per_s"`
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Run.Stopped == "" || len(doc.Run.Changes) != 1 || doc.Run.Changes[0].Rate != 120 {
		t.Errorf("the result says %+v", doc.Run)
	}
}
