package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The events that a caller treats differently, as GITHUB_EVENT_NAME has them.
const (
	EventPullRequest       = "pull_request"
	EventPullRequestTarget = "pull_request_target"
	EventPush              = "push"
	EventMergeGroup        = "merge_group"
	EventSchedule          = "schedule"
	EventDeploymentStatus  = "deployment_status"
	EventWorkflowRun       = "workflow_run"
	EventIssueComment      = "issue_comment"
)

// ErrNoEvent says that the process was not started by GitHub Actions.
var ErrNoEvent = errors.New("not started by GitHub Actions: GITHUB_EVENT_NAME is not set")

// An Event is what started the job. Fields that an event does not have are
// empty; SHAs are whole, in lower case.
type Event struct {
	Name   string // GITHUB_EVENT_NAME
	Action string // "opened", "labeled", "completed", ...; of events that have it

	Owner, Repo   string // the repository that the workflow runs in
	RepoID        int64  // of the repository; 0: not told
	DefaultBranch string
	Ref           string // GITHUB_REF: refs/heads/main, refs/pull/7/merge
	SHA           string // GITHUB_SHA: for a pull request the test merge, not its head

	HeadSHA  string // the commit under test
	HeadRef  string // its branch, without refs/heads/
	HeadRepo string // owner/name that it comes from
	BaseSHA  string // what it is to be merged into, or followed on
	BaseRef  string // that branch, without refs/heads/
	PR       int    // pull request number; 0: none, or not told by the event
	Label    string // that was put on or taken off
	Comment  string // of issue_comment: its text; foreign
	Fork     bool   // the head is in another repository
	Deleted  bool   // a push that deleted its branch: nothing to measure

	Actor      string // who started it
	RunID      int64
	RunAttempt int    // 1 for the first; 0 unknown
	Workflow   string // its name
	Job        string // its id
	Runner     string // name of the runner that it is on; "" where it has none

	// Of deployment_status.
	Environment    string
	EnvironmentURL string
	State          string // "success", ...

	// Of workflow_run: the run that ended.
	OtherRunID      int64
	OtherRunAttempt int
	OtherEvent      string

	ServerURL string // https://github.com, or of a GitHub Enterprise Server
	APIURL    string // https://api.github.com, or as above
	Workspace string // the checkout; file names in annotations are relative to it
}

// Detect reads the event that started this process from the environment and the
// file that GITHUB_EVENT_PATH names. It returns ErrNoEvent when there is none.
func Detect(env func(string) string, readFile func(string) ([]byte, error)) (Event, error) {
	name := env("GITHUB_EVENT_NAME")
	if name == "" {
		return Event{}, ErrNoEvent
	}
	e := Event{
		Name:      name,
		Ref:       env("GITHUB_REF"),
		SHA:       sha(env("GITHUB_SHA")),
		Actor:     env("GITHUB_ACTOR"),
		Workflow:  env("GITHUB_WORKFLOW"),
		Job:       env("GITHUB_JOB"),
		Runner:    env("RUNNER_NAME"),
		ServerURL: strings.TrimRight(or(env("GITHUB_SERVER_URL"), "https://github.com"), "/"),
		APIURL:    strings.TrimRight(or(env("GITHUB_API_URL"), "https://api.github.com"), "/"),
		Workspace: env("GITHUB_WORKSPACE"),
	}
	e.RunID, _ = strconv.ParseInt(env("GITHUB_RUN_ID"), 10, 64)
	e.RunAttempt, _ = strconv.Atoi(env("GITHUB_RUN_ATTEMPT"))
	e.setRepo(env("GITHUB_REPOSITORY"))

	path := env("GITHUB_EVENT_PATH")
	if path == "" {
		return e, errors.New("GITHUB_EVENT_PATH is not set, so the event cannot be read; run this inside a GitHub Actions step")
	}
	data, err := readFile(path)
	if err != nil {
		return e, fmt.Errorf("reading the event file: %w", err)
	}
	return e.with(data)
}

// OnPullRequest says whether the event is about the code of a pull request.
func (e Event) OnPullRequest() bool {
	return e.Name == EventPullRequest || e.Name == EventPullRequestTarget || e.Name == EventIssueComment && e.PR > 0
}

// Relabeled says whether the event only put a label on a pull request, or took one
// off: its code is what it was.
func (e Event) Relabeled() bool {
	return e.Name == EventPullRequest && (e.Action == "labeled" || e.Action == "unlabeled")
}

// ForPull says whether what is measured belongs to a pull request whose number is
// known. A merge queue's commit does not: it may hold several.
func (e Event) ForPull() bool {
	return e.PR != 0 && e.Name != EventMergeGroup
}

// Of makes the event speak of a pull request that the API named.
func (e Event) Of(p *Pull) Event {
	e.PR, e.BaseSHA, e.BaseRef = p.Number, p.BaseSHA, p.BaseRef
	e.HeadSHA, e.HeadRef, e.HeadRepo = p.HeadSHA, p.HeadRef, p.HeadRepo
	e.Fork = !strings.EqualFold(e.HeadRepo, e.Owner+"/"+e.Repo)
	return e
}

// OnDefaultBranch says whether the event is a push to the default branch.
func (e Event) OnDefaultBranch() bool {
	return e.Name == EventPush && !e.Deleted && e.DefaultBranch != "" && e.HeadRef == e.DefaultBranch
}

// Dependabot says whether Dependabot started the job. GitHub then hands out a
// token that may only read, and no secrets, as for a fork.
func (e Event) Dependabot() bool { return e.Actor == "dependabot[bot]" }

// ReadOnly says whether GitHub gives this job a token that may only read,
// whatever its permissions block asks for.
func (e Event) ReadOnly() bool {
	return e.Name == EventPullRequest && (e.Fork || e.Dependabot())
}

// RunURL is the page of the workflow run, or "" when the event names none.
func (e Event) RunURL() string {
	if e.RunID == 0 || e.Repo == "" {
		return ""
	}
	u := fmt.Sprintf("%s/%s/%s/actions/runs/%d", e.ServerURL, e.Owner, e.Repo, e.RunID)
	if e.RunAttempt > 1 {
		u += fmt.Sprintf("/attempts/%d", e.RunAttempt)
	}
	return u
}

func (e *Event) setRepo(fullName string) {
	if owner, name, ok := strings.Cut(fullName, "/"); ok && owner != "" && name != "" && !strings.Contains(name, "/") {
		e.Owner, e.Repo = owner, name
	}
}

// payload is the part of GitHub's event payloads that is read here.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads
type payload struct {
	Action     string `json:"action"`
	Number     int    `json:"number"`
	Ref        string `json:"ref"`
	Before     string `json:"before"`
	After      string `json:"after"`
	Deleted    bool   `json:"deleted"`
	Repository struct {
		ID            int64  `json:"id"`
		FullName      string `json:"full_name"`
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`
	Label struct {
		Name string `json:"name"`
	} `json:"label"`
	PullRequest *struct {
		Number int  `json:"number"`
		Head   side `json:"head"`
		Base   side `json:"base"`
	} `json:"pull_request"`
	Comment struct {
		Body string `json:"body"`
	} `json:"comment"`
	Issue *struct {
		Number      int       `json:"number"`
		PullRequest *struct{} `json:"pull_request"` // null of an issue that is none
	} `json:"issue"`
	MergeGroup *struct {
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
		BaseSHA string `json:"base_sha"`
		BaseRef string `json:"base_ref"`
	} `json:"merge_group"`
	Deployment *struct {
		SHA         string `json:"sha"`
		Ref         string `json:"ref"`
		Environment string `json:"environment"`
	} `json:"deployment"`
	DeploymentStatus *struct {
		State          string `json:"state"`
		EnvironmentURL string `json:"environment_url"`
		TargetURL      string `json:"target_url"`
	} `json:"deployment_status"`
	WorkflowRun *struct {
		ID             int64  `json:"id"`
		RunAttempt     int    `json:"run_attempt"`
		HeadSHA        string `json:"head_sha"`
		HeadBranch     string `json:"head_branch"`
		Event          string `json:"event"`
		HeadRepository struct {
			FullName string `json:"full_name"`
		} `json:"head_repository"`
	} `json:"workflow_run"`
}

type side struct {
	SHA  string `json:"sha"`
	Ref  string `json:"ref"`
	Repo *struct {
		FullName string `json:"full_name"`
	} `json:"repo"` // null when a fork was deleted
}

func (s side) repo() string {
	if s.Repo == nil {
		return ""
	}
	return s.Repo.FullName
}

// with fills in what the payload says.
func (e Event) with(data []byte) (Event, error) {
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return e, fmt.Errorf("reading the event file: %w", err)
	}
	e.Action, e.Label, e.DefaultBranch, e.RepoID = p.Action, p.Label.Name, p.Repository.DefaultBranch, p.Repository.ID
	if e.Repo == "" {
		e.setRepo(p.Repository.FullName)
	}
	self := e.Owner + "/" + e.Repo
	e.HeadSHA, e.HeadRef, e.HeadRepo = e.SHA, branch(e.Ref), self

	if e.Name == EventIssueComment && p.Issue != nil && p.Issue.PullRequest != nil {
		e.PR = max(p.Issue.Number, 0)
	}
	switch {
	case e.Name == EventIssueComment: // its commits stand in the API alone, see Of
		e.HeadSHA, e.HeadRef, e.HeadRepo, e.Comment = "", "", "", p.Comment.Body
	case e.OnPullRequest():
		if p.PullRequest == nil {
			return e, fmt.Errorf("the event file of a %s event has no pull_request", e.Name)
		}
		pr := p.PullRequest
		e.PR = max(pr.Number, p.Number, 0)
		e.HeadSHA, e.HeadRef, e.HeadRepo = sha(pr.Head.SHA), pr.Head.Ref, pr.Head.repo()
		e.BaseSHA, e.BaseRef = sha(pr.Base.SHA), pr.Base.Ref
	case e.Name == EventPush:
		e.Deleted = p.Deleted
		e.HeadSHA, e.BaseSHA = or(sha(p.After), e.SHA), sha(p.Before)
		e.HeadRef = branch(or(p.Ref, e.Ref))
		e.BaseRef = e.HeadRef
	case e.Name == EventMergeGroup && p.MergeGroup != nil:
		g := p.MergeGroup
		e.HeadSHA, e.HeadRef = or(sha(g.HeadSHA), e.SHA), branch(g.HeadRef)
		e.BaseSHA, e.BaseRef = sha(g.BaseSHA), branch(g.BaseRef)
		e.PR = queuedPR(g.HeadRef)
	case e.Name == EventDeploymentStatus && p.Deployment != nil && p.DeploymentStatus != nil:
		e.HeadSHA, e.HeadRef = or(sha(p.Deployment.SHA), e.SHA), branch(p.Deployment.Ref)
		e.Environment = p.Deployment.Environment
		e.State = p.DeploymentStatus.State
		e.EnvironmentURL = or(p.DeploymentStatus.EnvironmentURL, p.DeploymentStatus.TargetURL)
	case e.Name == EventWorkflowRun && p.WorkflowRun != nil:
		r := p.WorkflowRun
		e.HeadSHA, e.HeadRef, e.HeadRepo = sha(r.HeadSHA), r.HeadBranch, r.HeadRepository.FullName
		e.OtherRunID, e.OtherRunAttempt, e.OtherEvent = r.ID, r.RunAttempt, r.Event
	}
	if e.Name == EventIssueComment {
		return e, nil
	}
	// A deleted fork has no name any more; it is none of ours all the same.
	e.Fork = !strings.EqualFold(e.HeadRepo, self)
	return e, nil
}

// A merge queue's branch names the pull request at its end:
// gh-readonly-queue/main/pr-104-c3a5…
var queueRef = regexp.MustCompile(`/pr-(\d{1,9})-[0-9a-f]{40}$`)

func queuedPR(ref string) int {
	m := queueRef.FindStringSubmatch(ref)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // at most nine digits: cannot fail
	return n
}

// branch is the short name of a branch; other refs have none.
func branch(ref string) string {
	if b, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		return b
	}
	if strings.HasPrefix(ref, "refs/") {
		return ""
	}
	return ref
}

var shaForm = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// sha keeps only whole object names; the zero one, which stands for "no
// commit" in a push, is dropped too.
func sha(s string) string {
	s = strings.ToLower(s)
	if !shaForm.MatchString(s) || strings.Trim(s, "0") == "" {
		return ""
	}
	return s
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
