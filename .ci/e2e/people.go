package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// people is what GitHub knows of a pull request beside its code, and the emulator
// does not: labels and who put them on, its text and its commits, who may write,
// and what runs have uploaded.
type people struct {
	mu        sync.Mutex
	labels    []string
	events    []map[string]any
	body      string
	levels    map[string]string // login: admin, write, read
	artifacts []artifact
}

type artifact struct {
	id, run int
	commit  string
	data    []byte
}

// label puts a label on every pull request, by somebody, now.
func (p *people) label(name, by string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.labels, name) {
		p.labels = append(p.labels, name)
	}
	p.event("labeled", name, by)
}

// unlabel takes it off.
func (p *people) unlabel(name, by string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.labels = slices.DeleteFunc(p.labels, func(l string) bool { return l == name })
	p.event("unlabeled", name, by)
}

func (p *people) event(kind, label, by string) {
	p.events = append(p.events, map[string]any{
		"event": kind, "label": map[string]any{"name": label}, "actor": map[string]any{"login": by}, "created_at": time.Now().UTC().Format(time.RFC3339),
	})
}

func (p *people) describe(body string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.body = body
}

// upload keeps the result that a job left in dir, as actions/upload-artifact would.
func (p *people) upload(dir string, j job) error {
	data, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("result.json")
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.artifacts = append(p.artifacts, artifact{id: len(p.artifacts) + 1, run: j.runID, commit: j.commit, data: b.Bytes()})
	return nil
}

// routes answers what the emulator has not, under root ("" or "/api/v3").
func (p *people) routes(mux *http.ServeMux, root string, e *emulator) {
	repo := root + repoPath
	get := func(path string, do func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc("GET "+repo+path, func(w http.ResponseWriter, r *http.Request) {
			p.mu.Lock()
			defer p.mu.Unlock()
			do(w, r)
		})
	}
	get("pulls/{number}", func(w http.ResponseWriter, r *http.Request) { p.pull(w, r, e) })
	get("pulls/{number}/commits", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, []any{}) })
	get("issues/{number}/events", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, append([]map[string]any{}, p.events...))
	})
	get("collaborators/{login}/permission", func(w http.ResponseWriter, r *http.Request) {
		level, known := p.levels[r.PathValue("login")]
		if !known {
			answer(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
			return
		}
		answer(w, http.StatusOK, map[string]any{"permission": level, "user": map[string]any{"login": r.PathValue("login")}})
	})
	get("actions/runs/{run}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("run")) // 0 of what is none
		answer(w, http.StatusOK, map[string]any{"id": id, "created_at": time.Now().UTC().Format(time.RFC3339)})
	})
	get("actions/artifacts", func(w http.ResponseWriter, r *http.Request) {
		list := []map[string]any{}
		for _, a := range p.artifacts {
			list = append(list, map[string]any{
				"id": a.id, "name": r.URL.Query().Get("name"), "size_in_bytes": len(a.data), "expired": false,
				"created_at":   time.Unix(int64(a.id), 0).UTC().Format(time.RFC3339),
				"workflow_run": map[string]any{"id": a.run, "head_sha": a.commit, "head_branch": "signed", "head_repository_id": repoID},
			})
		}
		answer(w, http.StatusOK, map[string]any{"total_count": len(list), "artifacts": list})
	})
	get("actions/artifacts/{id}/zip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", fmt.Sprintf("%s/store/%s?sig=SIGNED", e.api, r.PathValue("id")))
		w.WriteHeader(http.StatusFound)
	})
	if root == "" {
		mux.HandleFunc("GET /store/{id}", func(w http.ResponseWriter, r *http.Request) {
			p.mu.Lock()
			defer p.mu.Unlock()
			id, _ := strconv.Atoi(r.PathValue("id")) // 0 is none of ours
			at := slices.IndexFunc(p.artifacts, func(a artifact) bool { return a.id == id })
			if at < 0 {
				http.Error(w, "no such blob", http.StatusNotFound)
				return
			}
			_, _ = w.Write(p.artifacts[at].data) // a client that went away is no matter
		})
	}
}

// pull is the emulator's pull request with its labels and text of today.
func (p *people) pull(w http.ResponseWriter, r *http.Request, e *emulator) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v3")
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, e.url+path, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	req.Header.Set("Authorization", r.Header.Get("Authorization"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	var pull map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&pull); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	labels := []map[string]any{}
	for _, l := range p.labels {
		labels = append(labels, map[string]any{"name": l})
	}
	pull["labels"], pull["body"] = labels, p.body
	// The emulator's heads stand where they were when it started.
	for _, name := range []string{"head", "base"} {
		side, _ := pull[name].(map[string]any)
		ref, _ := side["ref"].(string)
		if commit, err := plumbing(e.bare, "rev-parse", "--verify", "--quiet", "refs/heads/"+ref); err == nil {
			side["sha"] = strings.TrimSpace(commit)
		}
	}
	answer(w, resp.StatusCode, pull)
}
