package github

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	gh "github.com/google/go-github/v60/github"
)

const (
	issuesRight = "issues: write"
	// IssueLabel is on every tracking issue: by it they are found.
	IssueLabel = "loadline"
	// maxIssuePages bounds the search for ours, at 100 a page.
	maxIssuePages = 10
)

// An Issue is the one issue that tracks a key on the main branch.
type Issue struct {
	Title string
	Open  bool
	// Comment gives key, run, commit, text and what is hidden, as of a comment on
	// a pull request; its PR is not used.
	Comment
}

// A Tracked is a tracking issue as GitHub has it.
type Tracked struct {
	Number int
	URL    string
	Open   bool
	Hidden []byte // what the run hid that wrote it last; nil: nothing
	body   string
}

// Tracking finds the issue of a key, open or closed; nil when there is none. Of
// several, which jobs may have opened at one moment, the oldest counts.
func (c *Client) Tracking(ctx context.Context, key string) (*Tracked, error) {
	all, err := c.tracked(ctx, key)
	if err != nil {
		return nil, explain("looking for the tracking issue", issuesRight, err)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return trackedOf(all[0]), nil
}

func trackedOf(x *gh.Issue) *Tracked {
	return &Tracked{
		Number: x.GetNumber(), URL: x.GetHTMLURL(), Open: x.GetState() == "open",
		Hidden: parseHidden(x.GetBody()), body: x.GetBody(),
	}
}

// tracked lists our issues of a key, oldest first.
func (c *Client) tracked(ctx context.Context, key string) ([]*gh.Issue, error) {
	opts := &gh.IssueListByRepoOptions{State: "all", Labels: []string{IssueLabel}, ListOptions: gh.ListOptions{PerPage: 100}}
	var found []*gh.Issue
	for range maxIssuePages {
		page, resp, err := c.gh.Issues.ListByRepo(ctx, c.owner, c.repo, opts)
		if err != nil {
			return nil, err
		}
		for _, x := range page {
			if have, ok := parseMarker(x.GetBody()); ok && have.Key == key && !x.IsPullRequest() && fromWithin(x) {
				found = append(found, x)
			}
		}
		if resp.NextPage == 0 {
			break
		}
		opts.Page = resp.NextPage
	}
	slices.SortFunc(found, func(a, b *gh.Issue) int { return cmp.Compare(a.GetNumber(), b.GetNumber()) })
	return found, nil
}

// fromWithin says whether an issue was opened by an app that the repository has, or
// by somebody of its own: nobody else can plant one, whoever puts the label on it.
func fromWithin(x *gh.Issue) bool {
	return x.GetUser().GetType() == "Bot" || slices.Contains([]string{"OWNER", "MEMBER", "COLLABORATOR"}, x.GetAuthorAssociation())
}

// Track writes the issue: anew where was is nil, else over it, unless a newer run
// has written it since.
func (c *Client) Track(ctx context.Context, was *Tracked, m Issue) (Posted, error) {
	doing := "opening the tracking issue"
	if was != nil {
		doing = "updating the tracking issue"
	}
	if err := m.check(); err != nil {
		return Posted{}, err
	}
	if was == nil {
		made, err := c.openOnce(ctx, m)
		if err != nil {
			return Posted{}, explain(doing, issuesRight, err)
		}
		return Posted{URL: made.GetHTMLURL(), Action: PostedNew}, nil
	}
	posted := Posted{URL: was.URL, Action: PostedEdit}
	if have, ok := parseMarker(was.body); ok && have.newer(m.Comment) {
		posted.Action = PostedSuperseded
		return posted, nil
	}
	req := &gh.IssueRequest{Title: &m.Title, Body: new(m.text()), State: new("open")}
	if !m.Open {
		req.State, req.StateReason = new("closed"), new("completed")
	}
	if _, _, err := c.gh.Issues.Edit(ctx, c.owner, c.repo, was.Number, req); err != nil {
		return Posted{URL: was.URL}, explain(doing, issuesRight, err)
	}
	return posted, nil
}

// openOnce opens an issue. When the answer is lost it may be there all the same:
// then it is looked for before it is opened again.
func (c *Client) openOnce(ctx context.Context, m Issue) (*gh.Issue, error) {
	req := &gh.IssueRequest{Title: &m.Title, Body: new(m.text()), Labels: &[]string{IssueLabel}}
	made, _, err := c.gh.Issues.Create(ctx, c.owner, c.repo, req)
	if s := status(err); err == nil || s != 0 && s < http.StatusInternalServerError {
		return made, err
	}
	c.log.Info("GitHub call is tried again", "doing", "opening an issue", "reason", err)
	if err := sleep(ctx, backoff(1)); err != nil {
		return nil, err
	}
	found, err := c.tracked(ctx, m.Key)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return found[0], nil
	}
	made, _, err = c.gh.Issues.Create(ctx, c.owner, c.repo, req)
	return made, err
}

// MayNot says whether an error is GitHub's refusal for want of a right.
func MayNot(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Code == CodeReadOnly || e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}
