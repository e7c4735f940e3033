package githubtest

import (
	"net/http"
	"time"
)

// A Labeling is somebody's putting a label on an issue, or taking it off.
type Labeling struct {
	Issue     int
	Label, By string
	At        time.Time
	Off       bool
}

// A PullCommit is a commit of a pull request.
type PullCommit struct {
	Pull                 int
	SHA, Message, Author string
}

// People is who may do what, and who did.
type People struct {
	Levels    map[string]string // login: admin, write, read, none; others are not known
	Labelings []Labeling        // oldest first
	Commits   []PullCommit
	Runs      map[int64]time.Time // when each workflow run was created
}

// listEvents tells of the labels among other things, as GitHub does.
func (s *Server) listEvents(c *call) {
	list := []map[string]any{{"event": "mentioned", "actor": map[string]any{"login": "bob"}}}
	for _, l := range s.People.Labelings {
		if int64(l.Issue) != c.num() {
			continue
		}
		event := "labeled"
		if l.Off {
			event = "unlabeled"
		}
		list = append(list, map[string]any{
			"event": event, "label": map[string]any{"name": l.Label}, "actor": map[string]any{"login": l.By},
			"created_at": l.At.UTC().Format(time.RFC3339),
		})
	}
	from, to := c.page(len(list))
	c.answer(http.StatusOK, list[from:to])
}

func (s *Server) getLevel(c *call) {
	level, known := s.People.Levels[c.part[0]]
	if !known {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.answer(http.StatusOK, map[string]any{"permission": level, "user": map[string]any{"login": c.part[0]}})
}

func (s *Server) listPullCommits(c *call) {
	list := []map[string]any{}
	for _, x := range s.People.Commits {
		if int64(x.Pull) == c.num() {
			list = append(list, map[string]any{"sha": x.SHA, "author": map[string]any{"login": x.Author}, "commit": map[string]any{"message": x.Message}})
		}
	}
	from, to := c.page(len(list))
	c.answer(http.StatusOK, list[from:to])
}

func (s *Server) getRun(c *call) {
	created, known := s.People.Runs[c.num()]
	if !known {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.answer(http.StatusOK, map[string]any{"id": c.num(), "created_at": created.UTC().Format(time.RFC3339)})
}
