package github

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

var (
	artifactSHA = strings.Repeat("a", 40)
	anotherSHA  = strings.Repeat("b", 40)
)

func TestArtifactsOfARun(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	first := s.AddArtifact(githubtest.Artifact{Run: 7, Name: "loadline-result", HeadSHA: artifactSHA, Zip: githubtest.Zip("result.json", "{}")})
	again := s.AddArtifact(githubtest.Artifact{Run: 7, Name: "loadline-result", HeadSHA: artifactSHA, Zip: githubtest.Zip("result.json", "{}")})
	s.AddArtifact(githubtest.Artifact{Run: 7, Name: "loadline-result", HeadSHA: artifactSHA, Expired: true})
	s.AddArtifact(githubtest.Artifact{Run: 7, Name: "loadline-result-2", HeadSHA: artifactSHA})
	s.AddArtifact(githubtest.Artifact{Run: 8, Name: "loadline-result", HeadSHA: artifactSHA})
	list, err := client(t, s).RunArtifacts(t.Context(), 7, "loadline-result")
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	if !slices.Equal(ids, []int64{again, first}) {
		t.Errorf("got %v, want the newest first, %v", ids, []int64{again, first})
	}
	if list[0].RunID != 7 || list[0].HeadSHA != artifactSHA || list[0].HeadBranch != "patch" || list[0].HeadRepositoryID != githubtest.RepoID {
		t.Errorf("got %+v", list[0])
	}
}

// The newest 500 of a name are looked through, and no more pages than needed.
func TestArtifactsOfACommit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		before int // artifacts of other commits on the pages before
		found  bool
		calls  int
	}{{0, true, 1}, {250, true, 3}, {600, false, 5}} {
		s := githubtest.New()
		for i := range tt.before {
			s.AddArtifact(githubtest.Artifact{Run: int64(i), Name: "r", HeadSHA: anotherSHA})
		}
		s.AddArtifact(githubtest.Artifact{Run: 999, Name: "r", HeadSHA: artifactSHA})
		list, err := client(t, s).CommitArtifacts(t.Context(), artifactSHA, "r")
		if err != nil || (len(list) == 1) != tt.found || len(s.Calls()) != tt.calls {
			t.Errorf("after %d others: got %v, %v in %d calls, want found %v in %d", tt.before, list, err, len(s.Calls()), tt.found, tt.calls)
		}
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	id := s.AddArtifact(githubtest.Artifact{Run: 7, Name: "r", Zip: githubtest.Zip("result.json", "{}", "api/result.json", "[]")})
	got, err := client(t, s).Download(t.Context(), Artifact{ID: id, Name: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if names := got.Names(); !slices.Equal(names, []string{"api/result.json", "result.json"}) {
		t.Errorf("got %v", names)
	}
	if data, err := got.ReadFile("api/result.json"); err != nil || string(data) != "[]" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestDownloadRefuses(t *testing.T) {
	t.Parallel()
	long := make([]byte, MaxArtifact+1)
	tests := []struct {
		name  string
		a     githubtest.Artifact
		said  int64 // the size that the caller was told
		fault *githubtest.Fault
		path  string
		want  string
	}{
		{name: "too long by its own account", a: githubtest.Artifact{Zip: githubtest.Zip()}, said: MaxArtifact + 1, want: "more than 2097152 are not read"},
		{name: "too long in truth", a: githubtest.Artifact{Zip: long}, want: "more than 2097152 are not read"},
		{name: "expired", a: githubtest.Artifact{Expired: true}, want: "it has expired; run the job again"},
		{name: "no right", path: "/zip", fault: &githubtest.Fault{Status: 403}, want: "actions: read"},
		{name: "truncated", a: githubtest.Artifact{Zip: githubtest.Zip("result.json", "{}")[:40]}, want: "no whole zip"},
		{name: "no zip", a: githubtest.Artifact{Zip: []byte("<html>")}, want: "no whole zip"},
		{name: "the store refuses", path: "/zip/", fault: &githubtest.Fault{Status: 404}, want: "store.test answered 404"},
		{name: "sent to plain http", path: "/zip", fault: &githubtest.Fault{Status: 302, Header: map[string]string{"Location": "http://169.254.169.254/"}}, want: "no https address"},
		{name: "sent nowhere", path: "/zip", fault: &githubtest.Fault{Status: 302}, want: "no https address"},
	}
	for _, tt := range tests {
		s := githubtest.New()
		id := s.AddArtifact(tt.a)
		if tt.fault != nil {
			s.Before = func(r *http.Request) *githubtest.Fault {
				if strings.HasSuffix(r.URL.Path, tt.path) || strings.HasPrefix(r.URL.Path, tt.path) {
					return tt.fault
				}
				return nil
			}
		}
		_, err := client(t, s).Download(t.Context(), Artifact{ID: id, Name: "r", Size: tt.said})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "SIGNED") {
			t.Errorf("%s: the signed address shows: %v", tt.name, err)
		}
	}
}

// A store that breaks off does not show its signed address.
func TestDownloadHidesTheAddress(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	id := s.AddArtifact(githubtest.Artifact{Zip: githubtest.Zip()})
	c, err := New(Config{Owner: "octo", Repo: "shop", Token: "s3cret", Transport: brokenStore{s}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := c.Download(ctx, Artifact{ID: id, Name: "r"}); err == nil || strings.Contains(err.Error(), "SIGNED") || !strings.Contains(err.Error(), "store.test") {
		t.Errorf("got %v", err)
	}
}

type brokenStore struct{ s *githubtest.Server }

func (b brokenStore) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.s.RoundTrip(r)
	if r.URL.Host == "store.test" {
		resp.Body = http.MaxBytesReader(nil, resp.Body, 3)
	}
	return resp, err
}
