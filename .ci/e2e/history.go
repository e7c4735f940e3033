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

// inFront puts a server before the emulator that answers the two reads of a
// repository's history which the emulator has not: compare, for the merge base,
// and the list of commits. Both come from the same git repository. It counts all
// calls.
func (r *runner) inFront(e *emulator) error {
	behind, err := url.Parse(e.url)
	if err != nil {
		return err
	}
	const repo = "/repos/octo/shop/"
	proxy := httputil.NewSingleHostReverseProxy(behind)
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	for _, root := range []string{"", "/api/v3"} {
		e.people.routes(mux, root, e)
		mux.HandleFunc("GET "+root+repo+"compare/{range}", func(w http.ResponseWriter, req *http.Request) {
			base, head, _ := strings.Cut(req.PathValue("range"), "...")
			out, err := plumbing(e.bare, "merge-base", "--end-of-options", base, head)
			if err != nil {
				answer(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
				return
			}
			answer(w, http.StatusOK, map[string]any{"merge_base_commit": map[string]any{"sha": strings.TrimSpace(out)}})
		})
		mux.HandleFunc("GET "+root+repo+"commits", func(w http.ResponseWriter, req *http.Request) {
			out, err := plumbing(e.bare, "rev-list", "--parents", "--max-count=100", "--end-of-options", req.URL.Query().Get("sha"))
			if err != nil {
				answer(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
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
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		e.calls.Add(1)
		mux.ServeHTTP(w, req)
	})}
	go func() { _ = server.Serve(listener) }() // until Close
	r.stops = append(r.stops, func() { _ = server.Close() })
	e.api = "http://" + listener.Addr().String()
	return nil
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
