package main

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
)

// repoPath is where the API has octo/shop, below one of apiRoots.
const repoPath = "/repos/octo/shop/"

// apiRoots are where github.com has its API, and an Enterprise Server.
var apiRoots = []string{"", "/api/v3"}

// inFront puts a server before the emulator that answers what that one has not:
// the two reads of a repository's history, and what people do.
func (r *runner) inFront(e *emulator) error {
	mux, _, err := e.front()
	if err != nil {
		return err
	}
	for _, root := range apiRoots {
		e.people.routes(mux, root, e)
		mux.HandleFunc("GET "+root+repoPath+"commits", e.commits)
	}
	return e.listen(r, mux)
}

// front hands all calls on to the emulator, behind, but for compare, whose path
// that one takes apart in a way of its own.
func (e *emulator) front() (mux *http.ServeMux, behind http.Handler, err error) {
	at, err := url.Parse(e.url)
	if err != nil {
		return nil, nil, err
	}
	behind, mux = httputil.NewSingleHostReverseProxy(at), http.NewServeMux()
	mux.Handle("/", behind)
	for _, root := range apiRoots {
		mux.HandleFunc("GET "+root+repoPath+"compare/{range}", e.compare)
	}
	return mux, behind, nil
}

// listen serves h where jobs call from now on, and counts their calls to the API.
// What the API sends them to, the store of artifacts, is none of it.
func (e *emulator) listen(r *runner, h http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !strings.HasPrefix(req.URL.Path, "/store/") {
			e.calls.Add(1)
		}
		h.ServeHTTP(w, req)
	})}
	go func() { _ = server.Serve(listener) }() // until Close
	r.stops = append(r.stops, func() { _ = server.Close() })
	e.api = "http://" + listener.Addr().String()
	return nil
}

// compare tells the merge base of two commits, from the same git repository that
// the emulator has.
func (e *emulator) compare(w http.ResponseWriter, req *http.Request) {
	base, head, _ := strings.Cut(req.PathValue("range"), "...")
	out, err := plumbing(e.bare, "merge-base", "--end-of-options", base, head)
	if err != nil {
		notFound(w)
		return
	}
	answer(w, http.StatusOK, map[string]any{"merge_base_commit": map[string]any{"sha": strings.TrimSpace(out)}})
}

// commits lists a commit and those before it.
func (e *emulator) commits(w http.ResponseWriter, req *http.Request) {
	out, err := plumbing(e.bare, "rev-list", "--parents", "--max-count=100", "--end-of-options", req.URL.Query().Get("sha"))
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

func plumbing(bare string, args ...string) (string, error) {
	for _, a := range args {
		if a == "" {
			return "", errors.New("a name is empty")
		}
	}
	cmd := exec.Command("git", append([]string{"--git-dir", bare}, args...)...)
	out, err := cmd.Output()
	return string(out), err
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that went away is no matter
}

func notFound(w http.ResponseWriter) {
	answer(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
}
