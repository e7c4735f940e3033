package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// Codes of the errors that docs/action.md explains one by one.
const (
	CodeReadOnly   = "LL30" // the token may not do it
	CodeBranchBusy = "LL31" // other writers won every try
	CodeRateLimit  = "LL32" // GitHub asked for more patience than there was
)

// An Error is a call to GitHub that failed, in words for a user. None of them
// changes a verdict: the caller shows it and goes on.
type Error struct {
	Code   string // one of the Code constants; "" for the rest
	Doing  string // "commenting on #7"
	Cause  string // "403: the token may only read"
	Remedy string // what to do next; "" when there is nothing
	Status int    // HTTP status; 0: there was no answer
	Err    error  // what go-github or the network said
}

// Error is one sentence, ending with what to do next.
func (e *Error) Error() string {
	s := e.Doing + ": " + e.Cause
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	return s
}

// Unwrap returns the cause as it came.
func (e *Error) Unwrap() error { return e.Err }

// explain puts an error of go-github into words. right is what the job's
// permissions block would need, "pull-requests: write".
func explain(doing, right string, err error) error {
	if err == nil {
		return nil
	}
	if f := (final{}); errors.As(err, &f) {
		return fmt.Errorf("%s: %w", doing, f.error)
	}
	e := &Error{Doing: doing, Status: status(err), Err: err}
	var primary *gh.RateLimitError
	var secondary *gh.AbuseRateLimitError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", doing, err)
	case errors.As(err, &primary), errors.As(err, &secondary), e.Status == http.StatusTooManyRequests:
		e.Code = CodeRateLimit
		e.Cause = "GitHub's rate limit is used up"
		e.Remedy = "run the job again later, or run fewer jobs at once with this token"
	case e.Status == http.StatusForbidden:
		e.Code = CodeReadOnly
		e.Cause = "403: the token may not do this, which is normal for forks and Dependabot"
		e.Remedy = "elsewhere give the job `permissions: { " + right + " }`"
	case e.Status == http.StatusUnauthorized:
		e.Cause = "401: GitHub does not accept the token"
		e.Remedy = "check the `token` input; it may have expired"
	case e.Status == http.StatusNotFound:
		e.Cause = "404: no such thing, or the token may not see it"
		e.Remedy = "check that the job has `permissions: { " + right + " }`"
	case e.Status >= 500:
		e.Cause = fmt.Sprintf("%d: GitHub has a problem of its own", e.Status)
		e.Remedy = "run the job again"
	case e.Status != 0:
		e.Cause = fmt.Sprintf("%d: %s", e.Status, message(err))
	default:
		e.Cause = "no answer: " + err.Error()
		e.Remedy = "check that this machine reaches the address in the `github-api-url` input"
	}
	return e
}

// status is the HTTP status that err carries, or 0.
func status(err error) int {
	var r *gh.ErrorResponse
	var p *gh.RateLimitError
	var s *gh.AbuseRateLimitError
	var resp *http.Response
	switch {
	case errors.As(err, &r):
		resp = r.Response
	case errors.As(err, &p):
		resp = p.Response
	case errors.As(err, &s):
		resp = s.Response
	}
	if resp == nil {
		return 0
	}
	return resp.StatusCode
}

// message is GitHub's own sentence, in one line.
func message(err error) string {
	var r *gh.ErrorResponse
	if !errors.As(err, &r) || r.Message == "" {
		return "no reason given"
	}
	return strings.Join(strings.Fields(r.Message), " ")
}

// final marks an error that is not GitHub's, and that no further try will mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }
