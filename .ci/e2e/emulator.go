package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Tokens of the emulator, and what they may do.
const (
	writeToken = "ghs_write"
	readToken  = "ghs_read"
	botLogin   = "github-actions[bot]"
	// personToken and a login are that person's.
	personToken = "ghp_"
)

// An emulator is GitHub for one repository, octo/shop.
type emulator struct {
	url   string
	api   string       // where jobs call it, see inFront
	calls atomic.Int32 // through api, since the last mark
	bare  string       // its git repository

	people people
}

// A report is what the emulator tells of itself, as far as it is asked here.
type report struct {
	Repos map[string]struct {
		Comments  []emuComment
		Checks    []emuCheck `json:"check_runs"`
		Untouched int        `json:"seeded_comments_untouched"`
		Refs      map[string]struct {
			Commits string
			Roots   []string
			Files   []string
			Log     []string
		}
	}
	Requests []struct {
		Method, Path string
		Token        string
		Status       int
	}
	RequestViolations []string `json:"request_violations"`
	NotEmulated       []string `json:"not_emulated"`
	Denied            []string
}

type emuComment struct {
	ID    int64
	Issue int
	User  string
	Body  string
	Edits int
}

type emuCheck struct {
	Name, Status, Conclusion, Title string
	HeadSHA                         string `json:"head_sha"`
	Annotations                     []map[string]any
}

// say posts a comment as one of the people.
func (e *emulator) say(ctx context.Context, issue int, login, text string) error {
	body, err := json.Marshal(map[string]string{"body": text})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/repos/octo/shop/issues/%d/comments", e.url, issue), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "token "+personToken+login)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("a comment of %s: %s", login, resp.Status)
	}
	return nil
}

// startEmulator builds the emulator once and starts one for the repository at
// bare, with pulls as its pull requests.
func (r *runner) startEmulator(ctx context.Context, name, root string, pulls []map[string]any) (*emulator, error) {
	bin := filepath.Join(r.scratch, "ghemu")
	if _, err := os.Stat(bin); err != nil {
		// Its folder may be read-only, and a build may want to write go.sum.
		src := filepath.Join(r.scratch, "ghemu-src")
		if err := os.CopyFS(src, os.DirFS(filepath.Join(r.github, "ghemu"))); err != nil {
			return nil, err
		}
		if err := build(ctx, src, ".", bin); err != nil {
			return nil, err
		}
	}
	seed := map[string]any{
		"repos": []any{map[string]any{"full_name": "octo/shop", "default_branch": "main"}},
		"tokens": map[string]any{
			writeToken:            map[string]any{"login": botLogin, "app": "github-actions", "permissions": map[string]string{"contents": "write", "pull_requests": "write", "checks": "write"}},
			personToken + "alice": map[string]any{"login": "alice", "permissions": map[string]string{"issues": "write"}},
			readToken:             map[string]any{"login": botLogin, "app": "github-actions", "permissions": map[string]string{"contents": "read", "pull_requests": "read"}},
		},
		"pulls":    pulls,
		"comments": []any{map[string]any{"repo": "octo/shop", "issue": 7, "count": 120, "user": "alice", "body": "chatter %d"}},
	}
	data, err := json.Marshal(seed)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(r.scratch, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file := func(s string) string { return filepath.Join(dir, s) }
	if err := os.WriteFile(file("seed.json"), data, 0o644); err != nil {
		return nil, err
	}
	err = r.start(name, cleanEnv(), bin, "-addr", "127.0.0.1:0", "-addr-file", file("addr"), "-spec", filepath.Join(r.github, "api.github.com.json.gz"),
		"-seed", file("seed.json"), "-root", root, "-log", file("requests.jsonl"))
	if err != nil {
		return nil, err
	}
	var addr []byte
	err = waitFor(ctx, time.Minute, "the emulator", func() bool {
		addr, err = os.ReadFile(file("addr"))
		return err == nil
	})
	return &emulator{url: strings.TrimSpace(string(addr)), bare: filepath.Join(root, "octo", "shop.git")}, err
}

func (e *emulator) report(ctx context.Context) (*report, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/_emu/report", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var out report
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return nil, fmt.Errorf("the emulator's report: %w", err)
	}
	return &out, nil
}

// mark draws a line in the emulator's log of requests.
func (e *emulator) mark(ctx context.Context) error {
	e.calls.Store(0)
	return e.control(ctx, "mark", map[string]string{"name": "next"})
}

// control uses the emulator's side door; see its README.
func (e *emulator) control(ctx context.Context, what string, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url+"/_emu/"+what, bytes.NewReader(data))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("the emulator's %s: %s: %s", what, resp.Status, text)
	}
	return nil
}
