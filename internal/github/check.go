package github

import (
	"context"
	"time"

	gh "github.com/google/go-github/v60/github"
)

const (
	checksRight = "checks: write"
	// maxCheckText is GitHub's limit on a check run's summary and text, in
	// characters; bytes are never fewer.
	maxCheckText = 65_535
	// checkBatch is how many annotations one call may carry; an update adds to
	// those before. https://docs.github.com/en/rest/checks/runs
	checkBatch = 50
)

// A Conclusion is what a check run comes to.
type Conclusion string

// The conclusions used. There is no "action_required": it would ask for a
// button that nobody serves.
const (
	Success   Conclusion = "success"
	Failure   Conclusion = "failure"
	Neutral   Conclusion = "neutral"
	Cancelled Conclusion = "cancelled"
)

// A CheckRun is one check on a commit, in progress until Complete.
type CheckRun struct {
	URL  string
	c    *Client
	id   int64
	name string
}

// A CheckResult is what a check run shows when it is done.
type CheckResult struct {
	Conclusion  Conclusion
	Title       string
	Summary     string // Markdown, at most 65,535 bytes; longer is cut
	Annotations []Annotation
}

// StartCheck opens a check run in progress. name must hold no SHA and no number:
// required checks are matched by their exact name.
func (c *Client) StartCheck(ctx context.Context, name, headSHA, detailsURL string) (*CheckRun, error) {
	opts := gh.CreateCheckRunOptions{Name: name, HeadSHA: headSHA, Status: new("in_progress"), StartedAt: &gh.Timestamp{Time: time.Now()}}
	if detailsURL != "" {
		opts.DetailsURL = &detailsURL
	}
	run, _, err := c.gh.Checks.CreateCheckRun(ctx, c.owner, c.repo, opts)
	if err != nil {
		return nil, explain("opening the check "+name, checksRight, err)
	}
	return &CheckRun{URL: run.GetHTMLURL(), c: c, id: run.GetID(), name: name}, nil
}

// Complete ends the check run. Its annotations go out in batches; the first call
// carries the conclusion, so that a failure later leaves no check open forever.
func (r *CheckRun) Complete(ctx context.Context, res CheckResult) error {
	anns := checkAnnotations(res.Annotations)
	first := true
	for first || len(anns) > 0 {
		batch := anns[:min(len(anns), checkBatch)]
		anns = anns[len(batch):]
		opts := gh.UpdateCheckRunOptions{Name: r.name, Output: &gh.CheckRunOutput{
			Title: new(oneLine(res.Title, maxTitle)), Summary: new(cutText(res.Summary)), Annotations: batch,
		}}
		if first {
			opts.Status, opts.Conclusion = new("completed"), new(string(res.Conclusion))
			opts.CompletedAt = &gh.Timestamp{Time: time.Now()}
		}
		if _, _, err := r.c.gh.Checks.UpdateCheckRun(ctx, r.c.owner, r.c.repo, r.id, opts); err != nil {
			return explain("completing the check "+r.name, checksRight, err)
		}
		first = false
	}
	return nil
}

func checkAnnotations(list []Annotation) []*gh.CheckRunAnnotation {
	var out []*gh.CheckRunAnnotation
	for _, x := range list {
		if x.File == "" {
			continue // the API has no annotation without a place
		}
		level := map[Level]string{LevelError: "failure", LevelWarning: "warning", LevelNotice: "notice"}[x.Level]
		line := max(x.Line, 1)
		a := &gh.CheckRunAnnotation{
			Path: new(x.File), StartLine: &line, EndLine: &line,
			AnnotationLevel: &level, Message: new(oneLine(or(x.Message, x.Title), maxMessage)),
		}
		if x.Title != "" {
			a.Title = new(oneLine(x.Title, maxTitle))
		}
		out = append(out, a)
	}
	return out
}

// cutText keeps a text within GitHub's limit, at the end of a line where it can.
func cutText(s string) string {
	if len(s) <= maxCheckText {
		return s
	}
	const more = "\n\n(cut: too long for a check)"
	cut := maxCheckText - len(more)
	for i := cut; i > cut-4096 && i > 0; i-- {
		if s[i] == '\n' {
			cut = i
			break
		}
	}
	for cut > 0 && s[cut]&0xC0 == 0x80 { // not within a character
		cut--
	}
	return s[:cut] + more
}
