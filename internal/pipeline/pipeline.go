// Package pipeline reads from the environment which CI started this process, and
// what for: commit, branch, pull request. It knows GitLab, Jenkins, Buildkite and
// a few variables of our own for the rest; GitHub has a package of its own.
package pipeline

import (
	"regexp"
	"strconv"
	"strings"
)

// The systems that Detect tells apart.
const (
	GitLab    = "GitLab"
	Jenkins   = "Jenkins"
	Buildkite = "Buildkite"
	Plain     = "" // none that is known
)

// A Build is what one job of a CI works on. What a system does not tell is empty.
type Build struct {
	System        string
	Commit        string // under test, whole
	Branch        string // of the commit; in a pull request its source
	DefaultBranch string
	Tag           string
	PR            int    // number of the pull or merge request; 0: none
	Target        string // branch that the pull request is to be merged into
	Base          string // commit at which the pull request left its target, where the system says so
	Repo          string // group/name, as the system shows it
	Run           string // tells this job and its re-runs from all others
	URL           string // of the job, for people
}

// OnDefaultBranch says whether the build is of the default branch itself.
func (b Build) OnDefaultBranch() bool {
	return b.PR == 0 && b.Tag == "" && b.Branch != "" && b.Branch == b.DefaultBranch
}

// Detect reads the variables that each system documents, then ours, which stand
// over them: LOADLINE_COMMIT, LOADLINE_BRANCH, LOADLINE_DEFAULT_BRANCH,
// LOADLINE_PR, LOADLINE_TARGET and LOADLINE_BASE.
func Detect(env func(string) string) Build {
	var b Build
	switch {
	case env("GITLAB_CI") != "":
		b = gitlab(env)
	case env("BUILDKITE") != "":
		b = buildkite(env)
	case env("JENKINS_URL") != "":
		b = jenkins(env)
	}
	over(&b.Commit, env("LOADLINE_COMMIT"))
	over(&b.Branch, short(env("LOADLINE_BRANCH")))
	over(&b.DefaultBranch, short(env("LOADLINE_DEFAULT_BRANCH")))
	over(&b.Target, short(env("LOADLINE_TARGET")))
	over(&b.Base, env("LOADLINE_BASE"))
	if v := env("LOADLINE_PR"); v != "" {
		b.PR = number(v)
	}
	b.Commit, b.Base = sha(b.Commit), sha(b.Base)
	return b
}

// https://docs.gitlab.com/ci/variables/predefined_variables/
func gitlab(env func(string) string) Build {
	b := Build{
		System: GitLab, Commit: env("CI_COMMIT_SHA"), Branch: env("CI_COMMIT_BRANCH"), DefaultBranch: env("CI_DEFAULT_BRANCH"),
		Tag: env("CI_COMMIT_TAG"), PR: number(env("CI_MERGE_REQUEST_IID")), Target: env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
		Base: env("CI_MERGE_REQUEST_DIFF_BASE_SHA"), Repo: env("CI_PROJECT_PATH"), Run: join(env("CI_PIPELINE_ID"), env("CI_JOB_ID")),
		URL: env("CI_JOB_URL"),
	}
	if b.PR != 0 {
		b.Branch = env("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
		// In a pipeline of merged results CI_COMMIT_SHA is the test merge.
		over(&b.Commit, env("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"))
	}
	return b
}

// https://buildkite.com/docs/pipelines/configure/environment-variables
func buildkite(env func(string) string) Build {
	b := Build{
		System: Buildkite, Commit: env("BUILDKITE_COMMIT"), Branch: env("BUILDKITE_BRANCH"), DefaultBranch: env("BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
		Tag: env("BUILDKITE_TAG"), PR: number(env("BUILDKITE_PULL_REQUEST")), // "false" when it is none
		Target: env("BUILDKITE_PULL_REQUEST_BASE_BRANCH"), Run: join(env("BUILDKITE_BUILD_NUMBER"), env("BUILDKITE_RETRY_COUNT")),
		URL: env("BUILDKITE_BUILD_URL"),
	}
	if org := env("BUILDKITE_ORGANIZATION_SLUG"); org != "" {
		b.Repo = org + "/" + env("BUILDKITE_PIPELINE_SLUG")
	}
	return b
}

// https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
// and the page /env-vars.html of every Jenkins. A multibranch job sets
// BRANCH_NAME, CHANGE_* and BRANCH_IS_PRIMARY; another one GIT_BRANCH alone.
func jenkins(env func(string) string) Build {
	b := Build{
		System: Jenkins, Commit: env("GIT_COMMIT"), Branch: short(env("GIT_BRANCH")), Tag: env("TAG_NAME"),
		PR: number(env("CHANGE_ID")), Target: env("CHANGE_TARGET"), Repo: env("JOB_NAME"), Run: env("BUILD_NUMBER"), URL: env("BUILD_URL"),
	}
	over(&b.Branch, env("BRANCH_NAME"))
	if b.PR != 0 {
		over(&b.Branch, env("CHANGE_BRANCH"))
	}
	if env("BRANCH_IS_PRIMARY") == "true" {
		b.DefaultBranch = b.Branch
	}
	return b
}

func over(to *string, v string) {
	if v != "" {
		*to = v
	}
}

// number reads a pull request's number; 0 for anything else.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a
	}
	return a + "." + b
}

// short is a branch without what git or Jenkins puts before it.
func short(branch string) string {
	for _, before := range []string{"refs/heads/", "refs/remotes/origin/", "origin/"} {
		if rest, ok := strings.CutPrefix(branch, before); ok {
			return rest
		}
	}
	return branch
}

var wholeSHA = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// sha keeps what names a commit; Buildkite may say HEAD.
func sha(s string) string {
	s = strings.ToLower(s)
	if !wholeSHA.MatchString(s) {
		return ""
	}
	return s
}
