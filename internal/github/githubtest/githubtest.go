// Package githubtest is a small GitHub for tests of one process: comments with
// pages, check runs, and git's objects and refs with real names and a real
// fast-forward rule. It keeps everything in memory and opens no socket, so it
// works within a synctest bubble.
package githubtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Repo is the only repository there is.
const Repo = "octo/shop"

// RepoID is its number, in all that runs have uploaded.
const RepoID = 99

// A Server is GitHub. Set its fields before use; read them when nobody calls.
type Server struct {
	// Login is whose token the caller has; Read gives the token no right to write.
	Login string
	Read  bool
	// Installation makes the token one of an app, which may not ask who it is.
	Installation bool
	// Before is called first on every call, outside of any lock: it may sleep, or
	// act as somebody else. A Fault that it returns is what comes of the call.
	Before func(r *http.Request) *Fault

	mu       sync.Mutex
	calls    []string // "GET /repos/octo/shop/git/ref/heads/x"
	comments []*Comment
	checks   []*Check
	issues   []*Issue
	objects  map[string]object
	refs     map[string]string
	next     int64

	artifacts []*Artifact

	// What the test sets before use.
	Pulls       []Pull
	People      People
	Texts       map[string]string // contents by "ref:path"
	Jobs        []Job
	RunJobs     []RunJob // of every workflow run
	Deployments []Deployment
}

// A Fault replaces an answer.
type Fault struct {
	Status int
	Header map[string]string
	Body   string
	After  bool // do the work all the same
	Drop   bool // no answer at all
}

// A Comment is one on an issue or a pull request.
type Comment struct {
	ID      int64
	Issue   int
	Login   string
	Body    string
	Created time.Time
	Edits   int
}

// A Check is a check run.
type Check struct {
	ID          int64
	Name        string
	Status      string
	Conclusion  string
	Annotations []map[string]any
	Updates     int
}

// New is an empty GitHub, called with the job's own token.
func New() *Server {
	return &Server{Login: "github-actions[bot]", objects: map[string]object{}, refs: map[string]string{}, next: 1000}
}

// RoundTrip makes the server an http.RoundTripper.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	var f *Fault
	if s.Before != nil {
		f = s.Before(r)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	if f == nil || f.After {
		s.serve(w, r)
	}
	if f != nil && f.Drop {
		return nil, fmt.Errorf("connection reset")
	}
	if f != nil {
		w = httptest.NewRecorder()
		for k, v := range f.Header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(f.Status)
		_, _ = w.WriteString(cmp.Or(f.Body, `{"message":"a fault"}`))
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// ServeHTTP makes the server one for programs that call it over a socket.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r) }

// AddComments puts n comments on an issue, with %d in body as their number.
func (s *Server) AddComments(issue, n int, login, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		s.next++
		s.comments = append(s.comments, &Comment{ID: s.next, Issue: issue, Login: login, Body: strings.ReplaceAll(body, "%d", strconv.Itoa(i+1)), Created: time.Now()})
	}
}

// Comments are the comments on an issue by login, oldest first.
func (s *Server) Comments(issue int, login string) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Comment
	for _, c := range s.comments {
		if c.Issue == issue && c.Login == login {
			out = append(out, *c)
		}
	}
	return out
}

// Checks are the check runs, oldest first.
func (s *Server) Checks() []Check {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Check
	for _, c := range s.checks {
		out = append(out, *c)
	}
	return out
}

// Calls lists what was called, as "METHOD path".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

type route struct {
	method string
	path   *regexp.Regexp
	do     func(s *Server, c *call)
}

// call is one request with its path's parts.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	part []string
	in   map[string]any
}

var routes = func() []route {
	var out []route
	for _, x := range []struct {
		pattern string
		do      func(*Server, *call)
	}{
		{`GET /user`, (*Server).getUser},
		{`GET REPO/issues/(\d+)/comments`, (*Server).listComments},
		{`POST REPO/issues/(\d+)/comments`, (*Server).createComment},
		{`PATCH REPO/issues/comments/(\d+)`, (*Server).editComment},
		{`DELETE REPO/issues/comments/(\d+)`, (*Server).deleteComment},
		{`GET REPO/issues`, (*Server).listIssues},
		{`POST REPO/issues`, (*Server).createIssue},
		{`PATCH REPO/issues/(\d+)`, (*Server).editIssue},
		{`POST REPO/check-runs`, (*Server).createCheck},
		{`PATCH REPO/check-runs/(\d+)`, (*Server).updateCheck},
		{`GET REPO/git/ref/(.+)`, (*Server).getRef},
		{`POST REPO/git/refs`, (*Server).createRef},
		{`PATCH REPO/git/refs/(.+)`, (*Server).updateRef},
		{`GET REPO/git/commits/(\w+)`, (*Server).getCommit},
		{`POST REPO/git/commits`, (*Server).createCommit},
		{`GET REPO/git/trees/(\w+)`, (*Server).getTree},
		{`POST REPO/git/trees`, (*Server).createTree},
		{`GET REPO/git/blobs/(\w+)`, (*Server).getBlob},
		{`POST REPO/git/blobs`, (*Server).createBlob},
		{`GET REPO/compare/(\w+)\.\.\.(\w+)`, (*Server).compare},
		{`GET REPO/commits`, (*Server).listCommits},
		{`GET REPO/actions/artifacts`, (*Server).listArtifacts},
		{`GET REPO/actions/runs/(\d+)/artifacts`, (*Server).listRunArtifacts},
		{`GET REPO/actions/artifacts/(\d+)/zip`, (*Server).locateArtifact},
		{`GET /zip/(\d+)`, (*Server).sendArtifact},
		{`GET REPO/pulls`, (*Server).listPulls},
		{`GET REPO/pulls/(\d+)`, (*Server).getPull},
		{`GET REPO/commits/(\w+)/pulls`, (*Server).listCommitPulls},
		{`GET REPO/commits/(\w+)/check-runs`, (*Server).listJobs},
		{`GET REPO/contents/(.+)`, (*Server).getContents},
		{`GET REPO/pulls/(\d+)/commits`, (*Server).listPullCommits},
		{`GET REPO/issues/(\d+)/events`, (*Server).listEvents},
		{`GET REPO/collaborators/([^/]+)/permission`, (*Server).getLevel},
		{`GET REPO/actions/runs/(\d+)`, (*Server).getRun},
		{`GET REPO/actions/runs/(\d+)/attempts/(\d+)/jobs`, (*Server).listRunJobs},
		{`GET REPO/deployments`, (*Server).listDeployments},
		{`GET REPO/deployments/(\d+)/statuses`, (*Server).listStatuses},
	} {
		method, path, _ := strings.Cut(x.pattern, " ")
		path = "^" + strings.Replace(path, "REPO", "/repos/"+Repo, 1) + "$"
		out = append(out, route{method, regexp.MustCompile(path), x.do})
	}
	return out
}()

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/v3")
	s.calls = append(s.calls, r.Method+" "+path)
	c := &call{w: w, r: r}
	if r.Body != nil {
		_ = json.NewDecoder(r.Body).Decode(&c.in) // a call without a body has none
	}
	for _, x := range routes {
		if m := x.path.FindStringSubmatch(path); m != nil && x.method == r.Method {
			c.part = m[1:]
			if s.Read && r.Method != http.MethodGet {
				c.fail(http.StatusForbidden, "Resource not accessible by integration")
				return
			}
			x.do(s, c)
			return
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}

func (c *call) answer(status int, body any) {
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	c.w.WriteHeader(status)
	_ = json.NewEncoder(c.w).Encode(body) // a recorder takes everything
}

func (c *call) fail(status int, message string) {
	c.answer(status, map[string]any{"message": message})
}

func (c *call) str(key string) string {
	v, _ := c.in[key].(string)
	return v
}

func (c *call) num() int64 {
	n, _ := strconv.ParseInt(c.part[0], 10, 64) // the route has digits only
	return n
}

func (s *Server) getUser(c *call) {
	if s.Installation {
		c.fail(http.StatusForbidden, "Resource not accessible by integration")
		return
	}
	c.answer(http.StatusOK, map[string]any{"login": s.Login})
}

func (s *Server) commentJSON(x *Comment) map[string]any {
	return map[string]any{
		"id": x.ID, "body": x.Body, "user": map[string]any{"login": x.Login}, "created_at": x.Created.UTC().Format(time.RFC3339),
		"html_url": fmt.Sprintf("https://github.com/%s/pull/%d#issuecomment-%d", Repo, x.Issue, x.ID),
	}
}

func (s *Server) listComments(c *call) {
	q := c.r.URL.Query()
	var list []map[string]any
	since, _ := time.Parse(time.RFC3339, q.Get("since"))
	for _, x := range s.comments {
		if int64(x.Issue) == c.num() && !x.Created.Before(since) {
			list = append(list, s.commentJSON(x))
		}
	}
	from, to := c.page(len(list))
	c.answer(http.StatusOK, append([]map[string]any{}, list[from:to]...))
}

// page cuts n things into pages, and links to the next as GitHub does.
func (c *call) page(n int) (from, to int) {
	q := c.r.URL.Query()
	per, _ := strconv.Atoi(q.Get("per_page"))
	per = min(cmp.Or(per, 30), 100)
	page, _ := strconv.Atoi(q.Get("page"))
	page = max(page, 1)
	from = min((page-1)*per, n)
	to = min(from+per, n)
	if to < n {
		q.Set("page", strconv.Itoa(page+1))
		c.w.Header().Set("Link", fmt.Sprintf(`<https://api.github.com%s?%s>; rel="next"`, c.r.URL.Path, q.Encode()))
	}
	return from, to
}

func (s *Server) createComment(c *call) {
	s.next++
	x := &Comment{ID: s.next, Issue: int(c.num()), Login: s.Login, Body: c.str("body"), Created: time.Now()}
	s.comments = append(s.comments, x)
	c.answer(http.StatusCreated, s.commentJSON(x))
}

func (s *Server) editComment(c *call) {
	for _, x := range s.comments {
		if x.ID == c.num() {
			x.Body = c.str("body")
			x.Edits++
			c.answer(http.StatusOK, s.commentJSON(x))
			return
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}

func (s *Server) deleteComment(c *call) {
	n := len(s.comments)
	s.comments = slices.DeleteFunc(s.comments, func(x *Comment) bool { return x.ID == c.num() })
	if len(s.comments) == n {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.w.WriteHeader(http.StatusNoContent)
}

func (s *Server) createCheck(c *call) {
	s.next++
	x := &Check{ID: s.next, Name: c.str("name"), Status: c.str("status")}
	s.checks = append(s.checks, x)
	c.answer(http.StatusCreated, map[string]any{"id": x.ID, "html_url": fmt.Sprintf("https://github.com/%s/runs/%d", Repo, x.ID)})
}

// updateCheck adds annotations to those before, at most 50 a call.
func (s *Server) updateCheck(c *call) {
	for _, x := range s.checks {
		if x.ID != c.num() {
			continue
		}
		out, _ := c.in["output"].(map[string]any)
		anns, _ := out["annotations"].([]any)
		if len(anns) > 50 {
			c.fail(http.StatusUnprocessableEntity, "Invalid request. No more than 50 items are allowed")
			return
		}
		for _, a := range anns {
			x.Annotations = append(x.Annotations, a.(map[string]any))
		}
		x.Status, x.Conclusion = cmp.Or(c.str("status"), x.Status), cmp.Or(c.str("conclusion"), x.Conclusion)
		x.Updates++
		c.answer(http.StatusOK, map[string]any{"id": x.ID})
		return
	}
	c.fail(http.StatusNotFound, "Not Found")
}
