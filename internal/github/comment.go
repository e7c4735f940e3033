package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// MaxComment is the longest comment that Comment posts, marker included, in
// bytes. GitHub counts 65,536 characters and then refuses the whole; bytes are
// never fewer than characters.
const MaxComment = 60_000

const (
	// actionsLogin writes what is posted with the job's own token.
	actionsLogin = "github-actions[bot]"
	// maxCommentPages bounds the search for our comment, at 100 a page.
	maxCommentPages = 50
	// raceWindow is how far back another job's comment may lie that was posted
	// while this one looked.
	raceWindow = 10 * time.Minute
)

// A Comment is the one comment that a key has on a pull request. It is edited in
// place; a run that began later is never overwritten by one that began before.
type Comment struct {
	PR      int
	Key     string // tells this comment from others of the same author: "api/staging"
	Run     int64  // workflow run id; higher is newer
	Attempt int    // of the run
	SHA     string // commit that the comment is about
	Body    string // Markdown; the marker is put before it
	// Hidden is kept in the comment where no reader sees it, for the runs after
	// this one; at most MaxHidden bytes. Nil keeps what is hidden there now, empty
	// clears it. See Conversation.
	Hidden []byte
	// OnlyEdit leaves a pull request without our comment as it is.
	OnlyEdit bool
	// Known spares the first search when the conversation was read just now.
	Known *Conversation
}

// Posted says what became of a Comment.
type Posted struct {
	URL    string // of the comment; "" when there is none
	Action PostedAction
}

// A PostedAction is what was done with a comment.
type PostedAction string

// What PostComment did.
const (
	PostedNew        PostedAction = "created"
	PostedEdit       PostedAction = "edited"
	PostedNothing    PostedAction = "none"       // OnlyEdit, and none was there
	PostedSuperseded PostedAction = "superseded" // a newer run has written it; left as it is
)

const pullRight = "pull-requests: write"

// PostComment writes the comment, or edits the one that is there. All pages are
// searched; a comment counts as ours by its marker and its author together, so
// nobody else can plant one.
func (c *Client) PostComment(ctx context.Context, m Comment) (Posted, error) {
	doing := fmt.Sprintf("commenting on #%d", m.PR)
	if err := m.check(); err != nil {
		return Posted{}, fmt.Errorf("%s: %w", doing, err)
	}
	found, err := c.known(ctx, m)
	if err != nil {
		return Posted{}, explain(doing, pullRight, err)
	}
	ours, err := c.ours(ctx, found)
	if err != nil {
		return Posted{}, explain(doing, pullRight, err)
	}
	slices.SortFunc(ours, byID)
	if m.Hidden == nil && len(ours) > 0 { // the oldest stays, see fold
		m.Hidden = parseHidden(ours[0].GetBody())
	}
	if err := m.check(); err != nil { // now with what was kept
		return Posted{}, fmt.Errorf("%s: %w", doing, err)
	}
	body := m.text()
	if len(ours) == 0 {
		if m.OnlyEdit {
			return Posted{Action: PostedNothing}, nil
		}
		return c.createComment(ctx, m, body, found)
	}
	p, err := c.fold(ctx, m, body, ours)
	return p, explain(doing, pullRight, err)
}

// text is the whole comment, as GitHub gets it.
func (m Comment) text() string { return m.marker() + "\n" + m.hidden() + m.Body }

func (m Comment) check() error {
	if n := len(m.text()); n > MaxComment || len(m.Hidden) > MaxHidden {
		return fmt.Errorf("the text has %d bytes, more than the %d that are safe", n, MaxComment)
	}
	return nil
}

// createComment posts a new comment, then looks again: a job that looked at the
// same moment will have posted one too, and the oldest of them stays.
func (c *Client) createComment(ctx context.Context, m Comment, body string, before []*gh.IssueComment) (Posted, error) {
	doing := fmt.Sprintf("commenting on #%d", m.PR)
	made, err := c.postOnce(ctx, m, body)
	if err != nil {
		return Posted{}, explain(doing, pullRight, err)
	}
	posted := Posted{URL: made.GetHTMLURL(), Action: PostedNew}
	since := made.GetCreatedAt().Add(-raceWindow) // by GitHub's clock
	found, err := c.marked(ctx, m, since)
	if err != nil {
		return posted, explain(doing, pullRight, err)
	}
	// By its answer the login is known now, also for an app's token that may not
	// ask who it is: what that login wrote before is ours after all.
	login := made.GetUser().GetLogin()
	ours := slices.DeleteFunc(append(before, found...), func(x *gh.IssueComment) bool {
		return x.GetUser().GetLogin() != login
	})
	slices.SortFunc(ours, byID)
	ours = slices.CompactFunc(ours, func(a, b *gh.IssueComment) bool { return a.GetID() == b.GetID() })
	if len(ours) <= 1 {
		return posted, nil
	}
	p, err := c.fold(ctx, m, body, ours)
	return p, explain(doing, pullRight, err)
}

// postOnce posts a comment. When the answer is lost, the comment may be there
// all the same: then it is looked for before it is posted again.
func (c *Client) postOnce(ctx context.Context, m Comment, body string) (*gh.IssueComment, error) {
	made, _, err := c.gh.Issues.CreateComment(ctx, c.owner, c.repo, m.PR, &gh.IssueComment{Body: &body})
	if s := status(err); err == nil || s != 0 && s < 500 {
		return made, err
	}
	c.log.Info("GitHub call is tried again", "doing", "commenting", "reason", err)
	if err := sleep(ctx, backoff(1)); err != nil {
		return nil, err
	}
	found, err := c.marked(ctx, m, time.Time{})
	if err != nil {
		return nil, err
	}
	for _, x := range found {
		if x.GetBody() == body { // the marker names this very run and attempt
			return x, nil
		}
	}
	made, _, err = c.gh.Issues.CreateComment(ctx, c.owner, c.repo, m.PR, &gh.IssueComment{Body: &body})
	return made, err
}

// fold leaves the oldest of our comments with the newest run's text, and
// deletes the others.
func (c *Client) fold(ctx context.Context, m Comment, body string, ours []*gh.IssueComment) (Posted, error) {
	slices.SortFunc(ours, byID)
	keep := ours[0]
	action := PostedEdit
	for _, x := range ours {
		if have, ok := parseMarker(x.GetBody()); ok && have.newer(m) {
			action, body, m = PostedSuperseded, x.GetBody(), have
		}
	}
	if keep.GetBody() != body {
		edited, _, err := c.gh.Issues.EditComment(ctx, c.owner, c.repo, keep.GetID(), &gh.IssueComment{Body: &body})
		if err != nil {
			return Posted{}, err
		}
		keep = edited
	}
	for _, x := range ours[1:] {
		_, err := c.gh.Issues.DeleteComment(ctx, c.owner, c.repo, x.GetID())
		if s := status(err); err != nil && s != 404 { // another job may have folded it already
			return Posted{URL: keep.GetHTMLURL(), Action: action}, err
		}
	}
	return Posted{URL: keep.GetHTMLURL(), Action: action}, nil
}

// marked lists the comments that carry the key's marker, of any author.
func (c *Client) marked(ctx context.Context, m Comment, since time.Time) ([]*gh.IssueComment, error) {
	var out []*gh.IssueComment
	err := c.comments(ctx, m.PR, since, func(x *gh.IssueComment) {
		if have, ok := parseMarker(x.GetBody()); ok && have.Key == m.Key {
			out = append(out, x)
		}
	})
	return out, err
}

// comments shows each comment on a pull request, oldest first.
func (c *Client) comments(ctx context.Context, pr int, since time.Time, each func(*gh.IssueComment)) error {
	opts := &gh.IssueListCommentsOptions{ListOptions: gh.ListOptions{PerPage: 100}}
	if !since.IsZero() {
		opts.Since = &since
	}
	for range maxCommentPages {
		page, resp, err := c.gh.Issues.ListComments(ctx, c.owner, c.repo, pr, opts)
		if err != nil {
			return err
		}
		for _, x := range page {
			each(x)
		}
		if resp.NextPage == 0 {
			return nil
		}
		opts.Page = resp.NextPage
	}
	return fmt.Errorf("the pull request has more than %d comments", maxCommentPages*100)
}

// ours keeps what the token's own user wrote. Who that is, is asked only when
// somebody other than the Actions bot has used the marker.
func (c *Client) ours(ctx context.Context, found []*gh.IssueComment) ([]*gh.IssueComment, error) {
	mine := func(login string) func(*gh.IssueComment) bool {
		return func(x *gh.IssueComment) bool { return x.GetUser().GetLogin() != login }
	}
	bots := slices.DeleteFunc(slices.Clone(found), mine(actionsLogin))
	if len(bots) == len(found) {
		return bots, nil
	}
	user, _, err := c.gh.Users.Get(ctx, "")
	if _, refused := errors.AsType[*gh.ErrorResponse](err); refused {
		return bots, nil // an installation's token: it has no user
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(found), mine(user.GetLogin())), nil
}

func byID(a, b *gh.IssueComment) int {
	switch {
	case a.GetID() < b.GetID():
		return -1
	case a.GetID() > b.GetID():
		return 1
	}
	return 0
}

// The marker is the comment's first line, so that no truncation loses it:
//
//	<!-- loadline v1 key=api/staging run=9871234567.2 sha=8a1e38dc97 -->
const (
	markerHead = "<!-- loadline v1 "
	markerTail = " -->"
)

func (m Comment) marker() string {
	return fmt.Sprintf("%skey=%s run=%d.%d sha=%s%s", markerHead, markerValue(m.Key), m.Run, m.Attempt, markerValue(m.SHA), markerTail)
}

// markerValue keeps a value from ending the field or the HTML comment.
func markerValue(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/")
}

// newer says whether m stands for a later run than other.
func (m Comment) newer(other Comment) bool {
	if m.Run != other.Run {
		return m.Run > other.Run
	}
	return m.Attempt > other.Attempt
}

// parseMarker reads the key, run, attempt and commit back out of a comment. A
// field that it does not know, from a later version, it passes over.
func parseMarker(body string) (Comment, bool) {
	line, _, _ := strings.Cut(body, "\n")
	line = strings.TrimSuffix(line, "\r") // GitHub stores what a form posts with CRLF
	line, ok := strings.CutPrefix(line, markerHead)
	if !ok {
		return Comment{}, false
	}
	line, ok = strings.CutSuffix(line, markerTail)
	if !ok {
		return Comment{}, false
	}
	var m Comment
	for field := range strings.FieldsSeq(line) {
		name, value, _ := strings.Cut(field, "=")
		var err error
		switch name {
		case "key":
			m.Key, err = url.QueryUnescape(value)
		case "sha":
			m.SHA, err = url.QueryUnescape(value)
		case "run":
			run, attempt, _ := strings.Cut(value, ".")
			if m.Run, err = strconv.ParseInt(run, 10, 64); err == nil {
				m.Attempt, err = strconv.Atoi(attempt)
			}
		}
		if err != nil {
			return Comment{}, false
		}
	}
	return m, m.Key != ""
}
