package pipeline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	head  = "8a1e38dc97b1f0a3d8c5e2b7f49a60d1c3e5f708"
	merge = "1111111111111111111111111111111111111111"
	base  = "4c1d9e2aa0b3c4d5e6f708192a3b4c5d6e7f8091"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, vars string
		want       Build
		onDefault  bool
	}{
		{"nothing", "", Build{}, false},
		{
			"GitLab, a push to the default branch",
			"GITLAB_CI=true CI_COMMIT_SHA=" + head + " CI_COMMIT_BRANCH=main CI_DEFAULT_BRANCH=main CI_PROJECT_PATH=shop/api CI_PIPELINE_ID=70 CI_JOB_ID=801 CI_JOB_URL=https://gitlab.example/shop/api/-/jobs/801",
			Build{System: GitLab, Commit: head, Branch: "main", DefaultBranch: "main", Repo: "shop/api", Run: "70.801", URL: "https://gitlab.example/shop/api/-/jobs/801"},
			true,
		},
		{
			"GitLab, a merge request",
			"GITLAB_CI=true CI_COMMIT_SHA=" + head + " CI_DEFAULT_BRANCH=main CI_MERGE_REQUEST_IID=7 CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=main CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main CI_MERGE_REQUEST_DIFF_BASE_SHA=" + base,
			Build{System: GitLab, Commit: head, Branch: "main", DefaultBranch: "main", PR: 7, Target: "main", Base: base},
			false,
		},
		{
			"GitLab, merged results",
			"GITLAB_CI=true CI_COMMIT_SHA=" + merge + " CI_MERGE_REQUEST_IID=7 CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=faster CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=" + head,
			Build{System: GitLab, Commit: head, Branch: "faster", PR: 7},
			false,
		},
		{
			"GitLab, a tag",
			"GITLAB_CI=true CI_COMMIT_SHA=" + head + " CI_COMMIT_TAG=v1 CI_DEFAULT_BRANCH=main",
			Build{System: GitLab, Commit: head, Tag: "v1", DefaultBranch: "main"},
			false,
		},
		{
			"Buildkite, the default branch",
			"BUILDKITE=true BUILDKITE_COMMIT=" + head + " BUILDKITE_BRANCH=main BUILDKITE_PIPELINE_DEFAULT_BRANCH=main BUILDKITE_PULL_REQUEST=false BUILDKITE_BUILD_NUMBER=12 BUILDKITE_RETRY_COUNT=1 BUILDKITE_ORGANIZATION_SLUG=shop BUILDKITE_PIPELINE_SLUG=api BUILDKITE_BUILD_URL=https://buildkite.example/12",
			Build{System: Buildkite, Commit: head, Branch: "main", DefaultBranch: "main", Repo: "shop/api", Run: "12.1", URL: "https://buildkite.example/12"},
			true,
		},
		{
			"Buildkite, a pull request from a fork's main, whose commit is not known yet",
			"BUILDKITE=true BUILDKITE_COMMIT=HEAD BUILDKITE_BRANCH=main BUILDKITE_PIPELINE_DEFAULT_BRANCH=main BUILDKITE_PULL_REQUEST=31 BUILDKITE_PULL_REQUEST_BASE_BRANCH=main",
			Build{System: Buildkite, Branch: "main", DefaultBranch: "main", PR: 31, Target: "main"},
			false,
		},
		{
			"Jenkins, multibranch, the primary one",
			"JENKINS_URL=https://ci.example/ GIT_COMMIT=" + head + " GIT_BRANCH=origin/main BRANCH_NAME=main BRANCH_IS_PRIMARY=true JOB_NAME=api/main BUILD_NUMBER=5 BUILD_URL=https://ci.example/job/5/",
			Build{System: Jenkins, Commit: head, Branch: "main", DefaultBranch: "main", Repo: "api/main", Run: "5", URL: "https://ci.example/job/5/"},
			true,
		},
		{
			"Jenkins, a change",
			"JENKINS_URL=https://ci.example/ GIT_COMMIT=" + head + " BRANCH_NAME=PR-9 CHANGE_ID=9 CHANGE_BRANCH=faster CHANGE_TARGET=main",
			Build{System: Jenkins, Commit: head, Branch: "faster", PR: 9, Target: "main"},
			false,
		},
		{
			"Jenkins, a plain job that is told its default branch",
			"JENKINS_URL=https://ci.example/ GIT_COMMIT=" + head + " GIT_BRANCH=origin/main LOADLINE_DEFAULT_BRANCH=main",
			Build{System: Jenkins, Commit: head, Branch: "main", DefaultBranch: "main"},
			true,
		},
		{
			"our own variables",
			"LOADLINE_COMMIT=" + strings.ToUpper(head) + " LOADLINE_BRANCH=refs/heads/faster LOADLINE_DEFAULT_BRANCH=trunk LOADLINE_PR=4 LOADLINE_TARGET=trunk LOADLINE_BASE=" + base,
			Build{Commit: head, Branch: "faster", DefaultBranch: "trunk", PR: 4, Target: "trunk", Base: base},
			false,
		},
		{
			"they stand over a system's",
			"GITLAB_CI=true CI_COMMIT_SHA=" + merge + " CI_COMMIT_BRANCH=x CI_DEFAULT_BRANCH=main LOADLINE_COMMIT=" + head + " LOADLINE_BRANCH=main",
			Build{System: GitLab, Commit: head, Branch: "main", DefaultBranch: "main"},
			true,
		},
		{"what is no commit and no number", "LOADLINE_COMMIT=$(rm) LOADLINE_PR=-3 LOADLINE_BASE=HEAD~1", Build{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			vars := map[string]string{}
			for kv := range strings.FieldsSeq(c.vars) {
				k, v, _ := strings.Cut(kv, "=")
				vars[k] = v
			}
			got := Detect(func(name string) string { return vars[name] })
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if got.OnDefaultBranch() != c.onDefault {
				t.Errorf("on the default branch: %v", got.OnDefaultBranch())
			}
		})
	}
}
