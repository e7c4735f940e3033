package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A hub stands before the emulator and answers what that one has not: history,
// artifacts, deployments. Each such call but compare, whose path it takes apart in
// a way of its own, goes to the emulator too, which checks it against GitHub's own
// description and logs it.
type hub struct {
	*emulator
	uploads     string // RUN/NAME/ are what the jobs of a run uploaded
	deployments []deployed
	jobs        []runJob // of every run
	issues      issues
}

// A runJob is a job of a workflow run, as GitHub calls it.
type runJob struct{ name, status, runner string }

// A deployed commit.
type deployed struct{ commit, environment, url string }

// An uploaded artifact.
type uploaded struct {
	id, run   int
	name, dir string
}

// serve starts the hub.
func (h *hub) serve(r *runner) error {
	mux, behind, err := h.front()
	if err != nil {
		return err
	}
	for _, root := range apiRoots {
		h.issues.routes(mux, root, behind)
		for path, answer := range map[string]http.HandlerFunc{
			"commits":                      h.commits,
			"actions/runs/{run}/artifacts": h.artifacts,
			"actions/runs/{run}/attempts/{attempt}/jobs": h.listJobs,
			"actions/artifacts":                          h.artifacts,
			"actions/artifacts/{id}/zip":                 h.locate,
			"deployments":                                h.listDeployments,
			"deployments/{id}/statuses":                  h.statuses,
		} {
			mux.HandleFunc("GET "+root+repoPath+path, func(w http.ResponseWriter, req *http.Request) {
				behind.ServeHTTP(httptest.NewRecorder(), req.Clone(req.Context()))
				answer(w, req)
			})
		}
	}
	mux.HandleFunc("GET /store/{id}", h.send)
	return h.listen(r, mux)
}

// all lists what was uploaded, oldest run first.
func (h *hub) all() (list []uploaded) {
	dirs, _ := filepath.Glob(filepath.Join(h.uploads, "*", "*")) // the pattern is a good one
	for _, dir := range dirs {
		run, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))) // a run's number is the folder's name
		list = append(list, uploaded{run: run, name: filepath.Base(dir), dir: dir})
	}
	slices.SortStableFunc(list, func(a, b uploaded) int { return cmp.Compare(a.run, b.run) })
	for i := range list {
		list[i].id = i + 1
	}
	return list
}

func (h *hub) artifacts(w http.ResponseWriter, req *http.Request) {
	list := []map[string]any{}
	for _, a := range h.all() {
		name, run := req.URL.Query().Get("name"), req.PathValue("run")
		if name != "" && name != a.name || run != "" && run != strconv.Itoa(a.run) {
			continue
		}
		list = append(list, map[string]any{
			"id": a.id, "name": a.name, "size_in_bytes": 1000, "expired": false, "created_at": "2026-01-01T00:00:00Z",
			"workflow_run": map[string]any{"id": a.run},
		})
	}
	answer(w, http.StatusOK, map[string]any{"total_count": len(list), "artifacts": list})
}

// locate sends to the store, which is another host to a client.
func (h *hub) locate(w http.ResponseWriter, req *http.Request) {
	store := strings.Replace(h.api, "127.0.0.1", "localhost", 1)
	w.Header().Set("Location", fmt.Sprintf("%s/store/%s?sig=SIGNED", store, req.PathValue("id")))
	w.WriteHeader(http.StatusFound)
}

// send packs a folder as the store has it. It takes no token of GitHub's.
func (h *hub) send(w http.ResponseWriter, req *http.Request) {
	id, _ := strconv.Atoi(req.PathValue("id")) // 0 is nobody's
	all := h.all()
	if id < 1 || id > len(all) || req.Header.Get("Authorization") != "" {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	err := z.AddFS(os.DirFS(all[id-1].dir))
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = io.Copy(w, &b) // a client that went away is no matter
}

func (h *hub) listJobs(w http.ResponseWriter, _ *http.Request) {
	list := []map[string]any{}
	for i, j := range h.jobs {
		list = append(list, map[string]any{"id": i + 1, "name": j.name, "status": j.status, "runner_name": j.runner})
	}
	answer(w, http.StatusOK, map[string]any{"total_count": len(list), "jobs": list})
}

func (h *hub) listDeployments(w http.ResponseWriter, req *http.Request) {
	list := []map[string]any{}
	for i, d := range h.deployments {
		if d.commit == req.URL.Query().Get("sha") && d.environment == req.URL.Query().Get("environment") {
			list = append(list, map[string]any{"id": i + 1, "sha": d.commit, "environment": d.environment})
		}
	}
	answer(w, http.StatusOK, list)
}

func (h *hub) statuses(w http.ResponseWriter, req *http.Request) {
	id, _ := strconv.Atoi(req.PathValue("id")) // 0 is none
	if id < 1 || id > len(h.deployments) {
		notFound(w)
		return
	}
	answer(w, http.StatusOK, []map[string]any{{"id": 1, "state": "success", "environment_url": h.deployments[id-1].url}})
}
