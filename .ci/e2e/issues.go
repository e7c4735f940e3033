package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
)

// firstIssue is the number of the first issue, beyond those of the pull requests.
const firstIssue = 100

// issues are those of the repository that are no pull requests. The emulator has
// none, but checks what is asked of them against GitHub's own description.
type issues struct {
	mu  sync.Mutex
	all []*issue
}

type issue struct {
	Number int      `json:"number"`
	Title  string   `json:"title"`
	Body   string   `json:"body"`
	State  string   `json:"state"`
	Labels []string `json:"labels"`
}

func (x *issue) answer(w http.ResponseWriter, status int) { answer(w, status, x.shown()) }

func (x *issue) shown() map[string]any {
	labels := []map[string]any{}
	for _, l := range x.Labels {
		labels = append(labels, map[string]any{"name": l})
	}
	return map[string]any{
		"number": x.Number, "title": x.Title, "body": x.Body, "state": x.State, "labels": labels, "author_association": "NONE",
		"user": map[string]any{"login": botLogin, "type": "Bot"}, "html_url": fmt.Sprintf("https://github.com/octo/shop/issues/%d", x.Number),
	}
}

// routes answers under root; check is the emulator.
func (s *issues) routes(mux *http.ServeMux, root string, check http.Handler) {
	on := func(method, path string, do func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc(method+" "+root+repoPath+path, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			said := httptest.NewRecorder()
			copied := r.Clone(r.Context())
			copied.Body = io.NopCloser(bytes.NewReader(body))
			check.ServeHTTP(said, copied)
			switch {
			case said.Code == http.StatusUnprocessableEntity:
				answer(w, said.Code, json.RawMessage(said.Body.Bytes()))
			case method != http.MethodGet && r.Header.Get("Authorization") != "Bearer "+writeToken:
				answer(w, http.StatusForbidden, map[string]any{"message": "Resource not accessible by integration"})
			default:
				r.Body = io.NopCloser(bytes.NewReader(body))
				s.mu.Lock()
				defer s.mu.Unlock()
				do(w, r)
			}
		})
	}
	on("GET", "issues", s.list)
	on("POST", "issues", s.create)
	on("PATCH", "issues/{number}", s.edit)
}

func (s *issues) list(w http.ResponseWriter, r *http.Request) {
	list := []map[string]any{}
	for _, x := range slices.Backward(s.all) {
		if slices.Contains(x.Labels, r.URL.Query().Get("labels")) {
			list = append(list, x.shown())
		}
	}
	answer(w, http.StatusOK, list)
}

func (s *issues) create(w http.ResponseWriter, r *http.Request) {
	x := &issue{Number: firstIssue + len(s.all), State: "open"}
	if decode(w, r, x) {
		s.all = append(s.all, x)
		x.answer(w, http.StatusCreated)
	}
}

func (s *issues) edit(w http.ResponseWriter, r *http.Request) {
	number, _ := strconv.Atoi(r.PathValue("number")) // 0 is none of ours
	at := slices.IndexFunc(s.all, func(x *issue) bool { return x.Number == number })
	if at < 0 {
		answer(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
		return
	}
	if decode(w, r, s.all[at]) {
		s.all[at].answer(w, http.StatusOK)
	}
}

// decode reads a body over what is in it already.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		answer(w, http.StatusUnprocessableEntity, map[string]any{"message": err.Error()})
		return false
	}
	return true
}

// now are the issues as they are.
func (s *issues) now() []issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []issue
	for _, x := range s.all {
		out = append(out, *x)
	}
	return out
}
