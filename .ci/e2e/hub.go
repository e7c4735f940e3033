package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
}

// A deployed commit.
type deployed struct{ commit, environment, url string }

// An uploaded artifact.
type uploaded struct {
	id, run   int
	name, dir string
}

// serve starts the hub.
func (h *hub) serve(r *runner) error {
	behind, err := url.Parse(h.url)
	if err != nil {
		return err
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	for _, root := range []string{"", "/api/v3"} {
		mux.HandleFunc("GET "+root+"/repos/octo/shop/compare/{range}", h.compare)
		for path, answer := range map[string]http.HandlerFunc{
			"commits":                      h.commits,
			"actions/runs/{run}/artifacts": h.artifacts,
			"actions/artifacts":            h.artifacts,
			"actions/artifacts/{id}/zip":   h.locate,
			"deployments":                  h.listDeployments,
			"deployments/{id}/statuses":    h.statuses,
		} {
			mux.HandleFunc("GET "+root+"/repos/octo/shop/"+path, func(w http.ResponseWriter, req *http.Request) {
				proxy.ServeHTTP(httptest.NewRecorder(), req.Clone(req.Context()))
				answer(w, req)
			})
		}
	}
	mux.HandleFunc("GET /store/{id}", h.send)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h.calls.Add(1)
		mux.ServeHTTP(w, req)
	})}
	go func() { _ = server.Serve(listener) }() // until Close
	r.stops = append(r.stops, func() { _ = server.Close() })
	h.api = "http://" + listener.Addr().String()
	return nil
}

func (h *hub) compare(w http.ResponseWriter, req *http.Request) {
	base, head, _ := strings.Cut(req.PathValue("range"), "...")
	out, err := plumbing(h.bare, "merge-base", "--end-of-options", base, head)
	if err != nil {
		notFound(w)
		return
	}
	answer(w, http.StatusOK, map[string]any{"merge_base_commit": map[string]any{"sha": strings.TrimSpace(out)}})
}

func (h *hub) commits(w http.ResponseWriter, req *http.Request) {
	out, err := plumbing(h.bare, "rev-list", "--parents", "--max-count=100", "--end-of-options", req.URL.Query().Get("sha"))
	if err != nil {
		notFound(w)
		return
	}
	list := []map[string]any{}
	for l := range strings.Lines(out) {
		names := strings.Fields(l)
		parents := []map[string]any{}
		for _, p := range names[1:] {
			parents = append(parents, map[string]any{"sha": p})
		}
		list = append(list, map[string]any{"sha": names[0], "parents": parents})
	}
	answer(w, http.StatusOK, list)
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

func notFound(w http.ResponseWriter) {
	answer(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
}
