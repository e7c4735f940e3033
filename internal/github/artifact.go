package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
)

const (
	actionsRead = "actions: read"
	// MaxArtifact is the longest zip that is downloaded, in bytes. A result of a
	// hundred steps and ten minutes has about a quarter of it.
	MaxArtifact = 2 << 20
	// maxArtifactPages bounds a search by commit: 500 artifacts of one name.
	maxArtifactPages = 5
	// downloadTime bounds the reading of one artifact.
	downloadTime = time.Minute
)

// An Artifact is what a workflow run has uploaded under one name. All but ID and
// Size was chosen by the run, which may have been of anybody's code.
type Artifact struct {
	ID      int64
	Name    string
	Size    int64 // of the zip, in bytes
	Created time.Time

	RunID            int64
	HeadSHA          string // the commit that the run was of
	HeadBranch       string
	HeadRepositoryID int64
}

// RunArtifacts lists the artifacts of a workflow run whose name is exactly name,
// newest first: a re-run adds one of its own. Those that GitHub has expired are
// left out.
func (c *Client) RunArtifacts(ctx context.Context, run int64, name string) ([]Artifact, error) {
	doing := fmt.Sprintf("looking for the artifact %s of run %d", name, run)
	list, _, err := c.artifacts(ctx, fmt.Sprintf("actions/runs/%d/artifacts", run), name, 1)
	return list, explain(doing, actionsRead, err)
}

// CommitArtifacts lists the artifacts whose name is exactly name and whose run
// was of the given commit, newest first. It reads at most the 500 newest of that
// name.
func (c *Client) CommitArtifacts(ctx context.Context, headSHA, name string) ([]Artifact, error) {
	doing := fmt.Sprintf("looking for the artifact %s of commit %s", name, short(headSHA))
	for page := 1; page <= maxArtifactPages; page++ {
		list, next, err := c.artifacts(ctx, "actions/artifacts", name, page)
		if err != nil {
			return nil, explain(doing, actionsRead, err)
		}
		list = slices.DeleteFunc(list, func(a Artifact) bool { return a.HeadSHA == "" || a.HeadSHA != headSHA })
		if len(list) > 0 || next == 0 {
			return list, nil
		}
	}
	return nil, nil
}

// artifacts reads one page of a list. next is 0 after the last one.
func (c *Client) artifacts(ctx context.Context, path, name string, page int) (list []Artifact, next int, err error) {
	query := url.Values{"name": {name}, "per_page": {"100"}}
	if page > 1 {
		query.Set("page", strconv.Itoa(page))
	}
	// go-github v60 has no parameter for the name.
	req, err := c.gh.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/%s?%s", c.owner, c.repo, path, query.Encode()), nil)
	if err != nil {
		return nil, 0, err
	}
	var found gh.ArtifactList
	resp, err := c.gh.Do(ctx, req, &found)
	if err != nil {
		return nil, 0, err
	}
	for _, a := range found.Artifacts {
		if a.GetExpired() || a.GetName() != name {
			continue
		}
		one := Artifact{ID: a.GetID(), Name: a.GetName(), Size: a.GetSizeInBytes(), Created: a.GetCreatedAt().Time}
		if run := a.WorkflowRun; run != nil {
			one.RunID, one.HeadSHA, one.HeadBranch = run.GetID(), sha(run.GetHeadSHA()), run.GetHeadBranch()
			one.HeadRepositoryID = run.GetHeadRepositoryID()
		}
		list = append(list, one)
	}
	slices.SortStableFunc(list, func(a, b Artifact) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID))
	})
	return list, resp.NextPage, nil
}

// Download reads an artifact into memory, MaxArtifact bytes of zip at most, and
// checks it as OpenArchive does. Nothing is written anywhere.
func (c *Client) Download(ctx context.Context, a Artifact) (*Archive, error) {
	doing := fmt.Sprintf("downloading the artifact %s", a.Name)
	if a.Size > MaxArtifact {
		return nil, fmt.Errorf("%s: %w", doing, tooLarge(a.Size))
	}
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	where, resp, err := c.gh.Actions.DownloadArtifact(ctx, c.owner, c.repo, a.ID, 1)
	if err != nil {
		if resp != nil && resp.StatusCode == http.StatusGone {
			return nil, fmt.Errorf("%s: it has expired; run the job again", doing)
		}
		if resp != nil && resp.StatusCode >= 400 {
			err = &gh.ErrorResponse{Response: resp.Response}
		}
		return nil, explain(doing, actionsRead, err)
	}
	data, err := c.fetch(ctx, where)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	archive, err := OpenArchive(data)
	if err != nil {
		return nil, fmt.Errorf("the artifact %s: %w", a.Name, err)
	}
	return archive, nil
}

// fetch reads the zip from the store that the API has sent us to. The transport
// gives its token to the API's host alone.
func (c *Client) fetch(ctx context.Context, where *url.URL) ([]byte, error) {
	if where.Scheme != "https" && where.Scheme != c.gh.BaseURL.Scheme || where.Host == "" {
		return nil, errors.New("GitHub sent no https address to read it from")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return nil, errors.New("GitHub sent no address to read it from") // the address is signed: it is a secret
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("%s does not answer: %w", where.Host, unsigned(err))
	}
	defer resp.Body.Close() //nolint:errcheck // opened for reading
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", where.Host, resp.Status)
	}
	if resp.ContentLength > MaxArtifact {
		return nil, tooLarge(resp.ContentLength)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, MaxArtifact+1))
	if err != nil {
		return nil, fmt.Errorf("%s broke off: %w", where.Host, unsigned(err))
	}
	if len(data) > MaxArtifact {
		return nil, tooLarge(int64(len(data)))
	}
	return data, nil
}

// unsigned takes the address out of an error of net/http: its query is a key.
func unsigned(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func tooLarge(size int64) error {
	return fmt.Errorf("it has %d bytes, and more than %d are not read; upload less with it, or measure fewer steps in one spec", size, MaxArtifact)
}

// oneName is a name from an archive as an error may show it.
func oneName(name string) string {
	return strconv.QuoteToASCII(oneLine(strings.ToValidUTF8(name, "?"), 80))
}
