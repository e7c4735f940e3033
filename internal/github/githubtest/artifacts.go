package githubtest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// An Artifact is one that a workflow run has uploaded.
type Artifact struct {
	ID      int64
	Run     int64
	Name    string
	HeadSHA string
	Expired bool
	Size    int64 // as the list states it; 0: that of Zip
	Zip     []byte
	Created time.Time
}

// Zip packs files, in pairs of name and text, as an upload has them.
func Zip(pairs ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		f, err := w.Create(pairs[i])
		if err == nil {
			_, err = f.Write([]byte(pairs[i+1]))
		}
		if err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// AddArtifact keeps an artifact, newer than those before, and returns its id.
func (s *Server) AddArtifact(a Artifact) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	a.ID = s.next
	if a.Created.IsZero() {
		a.Created = time.Unix(s.next, 0)
	}
	if a.Size == 0 {
		a.Size = int64(len(a.Zip))
	}
	s.artifacts = append(s.artifacts, &a)
	return a.ID
}

func (s *Server) listArtifacts(c *call) { s.sendArtifacts(c, func(*Artifact) bool { return true }) }

func (s *Server) listRunArtifacts(c *call) {
	s.sendArtifacts(c, func(a *Artifact) bool { return a.Run == c.num() })
}

// sendArtifacts filters by name as GitHub does: by the whole of it.
func (s *Server) sendArtifacts(c *call, keep func(*Artifact) bool) {
	list := []map[string]any{}
	for _, a := range s.artifacts {
		if name := c.r.URL.Query().Get("name"); keep(a) && (name == "" || a.Name == name) {
			list = append(list, map[string]any{
				"id": a.ID, "name": a.Name, "size_in_bytes": a.Size, "expired": a.Expired, "created_at": a.Created.UTC().Format(time.RFC3339),
				"workflow_run": map[string]any{"id": a.Run, "head_sha": a.HeadSHA, "head_branch": "patch", "head_repository_id": RepoID},
			})
		}
	}
	from, to := c.page(len(list))
	c.answer(http.StatusOK, map[string]any{"total_count": len(list), "artifacts": list[from:to]})
}

func (s *Server) artifact(id int64) *Artifact {
	for _, a := range s.artifacts {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// locateArtifact sends the caller to another host, whose address is signed.
func (s *Server) locateArtifact(c *call) {
	a := s.artifact(c.num())
	switch {
	case a == nil:
		c.fail(http.StatusNotFound, "Not Found")
	case a.Expired:
		c.fail(http.StatusGone, "Artifact has expired")
	default:
		store := "https://store.test"
		if c.r.URL.Host == "" { // over a socket
			store = "http://" + strings.Replace(c.r.Host, "127.0.0.1", "localhost", 1)
		}
		c.w.Header().Set("Location", fmt.Sprintf("%s/zip/%d?sig=SIGNED", store, a.ID))
		c.w.WriteHeader(http.StatusFound)
	}
}

// sendArtifact is the store. It refuses GitHub's tokens, as the real one does.
func (s *Server) sendArtifact(c *call) {
	a := s.artifact(c.num())
	if a == nil || c.r.URL.Host != "" && (c.r.URL.Host != "store.test" || c.r.Header.Get("Authorization") != "") {
		c.fail(http.StatusBadRequest, "Bad Request")
		return
	}
	_, _ = c.w.Write(a.Zip) // a recorder takes everything
}
