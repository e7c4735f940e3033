package github

// An Input is an input of the Action: what its users may set under `with:`.
// action.yml, the code that reads them and docs/action.md are held to this list
// by a test.
type Input struct {
	Name    string
	Default string // as action.yml states it; "": none
	Meaning string // one line, Markdown
}

// Inputs lists the Action's inputs, in the order that the documentation has.
func Inputs() []Input {
	return []Input{
		{"spec", "loadline.toml", "The load spec: one path, or several, one a line"},
		{"base-url", "", "The target, instead of the spec's `target.url`. `deployment:NAME` waits for the GitHub Deployment of this commit to that environment, and takes its address; the job needs `deployments: read`"},
		{"start", "", "Command that starts the target in this job, and stays in the foreground; loadline waits until it is ready, and stops it"},
		{"compare-url", "", "The base's URL, for A/B: base and head are driven by turns in one run, which sees far smaller changes than stored runs. It must be an equal twin of the target"},
		{"compare-start", "", "Command that starts the base. With `start`, both are restarted to confirm a slowdown before anybody is blamed"},
		{"compare-duration", "180s", "A/B: the most load that both sides together may take; most runs end after a third of it"},
		{"profile", "", "A `[profile.NAME]` of the spec"},
		{"baseline", "branch", "Where earlier runs are kept: `branch`, `dir` or `dir:PATH`, `git:REMOTE#BRANCH`, `file:PATH` or `none`"},
		{"baseline-branch", "loadline-data", "The branch for `baseline: branch`; it is created when absent"},
		{"baseline-dir", "baselines", "The folder for `baseline: dir`"},
		{"update-baseline", "auto", "`auto`: on a push to the default branch; `never`; `always`: on any event but a pull request"},
		{"fail-on", "regression,threshold,invalid", "Which outcomes turn the job red; may add `inconclusive` and `no-baseline`"},
		{"comment", "changes", "The comment on the pull request: `changes` (when something moved; one that is there is kept up to date), `always` or `never`"},
		{"summary", "always", "The job summary: `always`, `changes` or `never`"},
		{"annotations", "true", "Remarks on the lines of the spec: `true` or `false`"},
		{"check-run", "auto", "A check run of its own beside the job's, `loadline / SPEC (ENV)`: `true`, `false`, or `auto`: only where the job's own does not stand on the pull request; needs `checks: write`"},
		{"tracking-issue", "auto", "The one issue that tells of what got worse on the default branch: `auto`: opened, kept up to date and closed where the job has `issues: write`; or `never`"},
		{"accept", "label", "How a slowdown may be accepted: any of `label`, `trailer`, `file`, `comment`, or `none` ([accepting](accepting.md))"},
		{"accept-label", "perf-accepted", "The label of `accept: label`"},
		{"artifact", DefaultArtifact, "The name under which the workflow uploads `loadline-out`: after a label or a comment the result of this commit is read from there, and no load is sent"},
		{"env-label", "default", "Tells baselines of one spec apart: staging, preview, a class of runner"},
		{"ready-timeout", "5m", "How long to wait for the target before the load"},
		{"version-header", "", "A response header in which the target names its commit. The load waits until that is the commit under test"},
		{"max-duration", "15m", "A hard stop for the whole step"},
		{"allowed-hosts", "", "Hosts, separated by commas or lines, that the load may reach besides `base-url`'s; the spec cannot add to them. Without `base-url` its target must be among them"},
		{"allow-high-load", "false", "`true`: more than 2,000 requests per second may be sent to a target that is not this machine"},
		{"allow-exec", "false", "`true`: the commands and logs that `[[observe]]` of the spec names are run and read on the runner, as whoever changes the spec wrote them"},
		{"token", "${{ github.token }}", "What to call GitHub with; it needs `pull-requests: write` to comment and, on the default branch, `contents: write` to keep baselines"},
		{"github-api-url", "", "GitHub's API, when it is not the one of the runner's `GITHUB_API_URL`"},
		{"working-directory", ".", "Where paths start"},
		{"binary-path", "", "A `loadline` that is on the runner already; nothing is downloaded or built"},
		{"version", "", "Another release than the pinned commit's own, `1.2.3`, if that commit has its checksums; or `source`: build it from the pinned commit"},
		{"log-level", "info", "What goes to the log: `debug`, `info`, `warn` or `error`"},
	}
}

// An Output is an output of the Action.
type Output struct {
	Name    string
	Meaning string // one line, Markdown
}

// Outputs lists the Action's outputs, in the order that the documentation has.
func Outputs() []Output {
	return []Output{
		{"verdict", "`pass`, `accepted`, `regression`, `threshold`, `inconclusive`, `invalid`, `no-baseline` or `skipped`"},
		{"exit-code", "The exit status that the step ends with"},
		{"regressions", "How many rows are worse than allowed"},
		{"worst-route", "The step of the worst row; empty when none is worse"},
		{"worst-change", "How much worse, in percent: `36.4`"},
		{"report-json", "The result file"},
		{"report-md", "The report, as Markdown"},
		{"junit", "The report, as JUnit XML"},
		{"report-dir", "The folder with all of these, to upload"},
		{"baseline-sha", "The newest commit compared with"},
		{"comment-url", "The comment on the pull request"},
		{"check-run-url", "The check run, where there is one"},
		{"tracking-issue-url", "The issue about the default branch, where this run opened, updated or closed it"},
	}
}
