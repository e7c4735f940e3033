package githubtest

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A Pull is a pull request.
type Pull struct {
	Number                     int
	State                      string // "": open
	Merged                     bool
	Author, Body               string
	Labels                     []string
	HeadRepo, HeadRef, HeadSHA string
	BaseRef, BaseSHA           string
}

// A Job is a check run of a job that ended before.
type Job struct {
	Commit, Name, App  string // App "": github-actions
	Status, Conclusion string
	Started            time.Time
}

// A RunJob is a job of a workflow run, by the name that GitHub shows. Name "":
// the token may not list them.
type RunJob struct{ Name, Status, Runner string }

// A Deployment is one of a commit, with its statuses, newest first as GitHub
// lists them.
type Deployment struct {
	ID               int64
	SHA, Environment string
	Statuses         []Status
}

// A Status is a deployment's.
type Status struct{ State, URL string }

func (s *Server) listPulls(c *call) {
	s.sendPulls(c, func(p *Pull) bool {
		q := c.r.URL.Query()
		owner, _, _ := strings.Cut(p.HeadRepo, "/")
		return (q.Get("head") == "" || q.Get("head") == owner+":"+p.HeadRef) && (q.Get("state") == "all" || p.state() == cmp.Or(q.Get("state"), "open"))
	})
}

func (s *Server) listCommitPulls(c *call) {
	s.sendPulls(c, func(p *Pull) bool { return p.HeadSHA == c.part[0] || p.BaseSHA == c.part[0] })
}

func (s *Server) sendPulls(c *call, keep func(*Pull) bool) {
	list := []map[string]any{}
	for i := range s.Pulls {
		if keep(&s.Pulls[i]) {
			list = append(list, s.Pulls[i].json())
		}
	}
	c.answer(http.StatusOK, list)
}

func (s *Server) getPull(c *call) {
	for i := range s.Pulls {
		if int64(s.Pulls[i].Number) == c.num() {
			out := s.Pulls[i].json()
			out["comments"], out["commits"] = s.countComments(c.num()), s.countCommits(c.num())
			c.answer(http.StatusOK, out)
			return
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}

func (s *Server) countComments(pull int64) (n int) {
	for _, x := range s.comments {
		if int64(x.Issue) == pull {
			n++
		}
	}
	return n
}

func (s *Server) countCommits(pull int64) (n int) {
	for _, x := range s.People.Commits {
		if int64(x.Pull) == pull {
			n++
		}
	}
	return n
}

func (p *Pull) state() string { return cmp.Or(p.State, "open") }

func (p *Pull) json() map[string]any {
	side := func(repo, ref, sha string) map[string]any {
		if repo == "" {
			return map[string]any{"ref": ref, "sha": sha, "repo": nil}
		}
		return map[string]any{"ref": ref, "sha": sha, "repo": map[string]any{"full_name": repo}}
	}
	labels := []map[string]any{}
	for _, l := range p.Labels {
		labels = append(labels, map[string]any{"name": l})
	}
	out := map[string]any{
		"number": p.Number, "state": p.state(), "user": map[string]any{"login": p.Author}, "body": p.Body, "labels": labels,
		"head": side(p.HeadRepo, p.HeadRef, p.HeadSHA), "base": side(Repo, p.BaseRef, p.BaseSHA),
	}
	if p.Merged {
		out["merged_at"] = "2026-11-20T09:30:00Z"
	}
	return out
}

func (s *Server) listJobs(c *call) {
	list := []map[string]any{}
	for i, j := range s.Jobs {
		if name := c.r.URL.Query().Get("check_name"); j.Commit == c.part[0] && (name == "" || name == j.Name) {
			list = append(list, map[string]any{
				"id": i + 1, "name": j.Name, "status": cmp.Or(j.Status, "completed"), "conclusion": j.Conclusion,
				"started_at": j.Started.UTC().Format(time.RFC3339), "app": map[string]any{"slug": cmp.Or(j.App, "github-actions")},
			})
		}
	}
	c.answer(http.StatusOK, map[string]any{"total_count": len(list), "check_runs": list})
}

func (s *Server) listRunJobs(c *call) {
	list := []map[string]any{}
	for i, j := range s.RunJobs {
		if j.Name == "" {
			c.fail(http.StatusForbidden, "Resource not accessible by integration")
			return
		}
		list = append(list, map[string]any{"id": i + 1, "name": j.Name, "status": cmp.Or(j.Status, "in_progress"), "runner_name": j.Runner})
	}
	from, to := c.page(len(list))
	c.answer(http.StatusOK, map[string]any{"total_count": len(list), "jobs": list[from:to]})
}

func (s *Server) getContents(c *call) {
	ref := c.r.URL.Query().Get("ref")
	text, ok := s.Texts[ref+":"+c.part[0]]
	if o := s.objects[ref]; !ok && o.commit {
		var blob string
		if blob, ok = s.objects[o.root].tree[c.part[0]]; ok {
			text = string(s.objects[blob].blob)
		}
	}
	if !ok {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	_, _ = fmt.Fprint(c.w, text) // a recorder takes everything
}

func (s *Server) listDeployments(c *call) {
	q := c.r.URL.Query()
	list := []map[string]any{}
	for _, d := range s.Deployments {
		if d.SHA == q.Get("sha") && d.Environment == q.Get("environment") {
			list = append(list, map[string]any{"id": d.ID, "sha": d.SHA, "environment": d.Environment})
		}
	}
	c.answer(http.StatusOK, list)
}

func (s *Server) listStatuses(c *call) {
	for _, d := range s.Deployments {
		if d.ID != c.num() {
			continue
		}
		list := []map[string]any{}
		for i, x := range d.Statuses {
			list = append(list, map[string]any{"id": 1000 - i, "state": x.State, "environment_url": x.URL})
		}
		c.answer(http.StatusOK, list)
		return
	}
	c.fail(http.StatusNotFound, "Not Found")
}
