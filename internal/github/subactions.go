package github

// DefaultArtifact is the name under which a workflow uploads the folder of a run,
// for the sub-actions to find.
const DefaultArtifact = "loadline-result"

var artifactInput = Input{"artifact", DefaultArtifact, "Name of the artifact that holds the folder `loadline-out`; of several jobs, a matrix, one a line"}

// ReportInputs lists the inputs of the sub-action report, as Inputs does the
// action's.
func ReportInputs() []Input {
	return append([]Input{artifactInput}, some("comment", "summary", "check-run", "accept", "accept-label", "baseline", "baseline-branch", "token", "github-api-url", "working-directory", "binary-path", "version", "log-level")...)
}

// ReportOutputs lists its outputs.
func ReportOutputs() []Output {
	var out []Output
	for _, o := range Outputs() {
		switch o.Name {
		case "verdict", "regressions", "worst-route", "worst-change", "report-md", "report-dir", "comment-url", "check-run-url":
			out = append(out, o)
		}
	}
	return out
}

// StoreInputs lists the inputs of the sub-action store.
func StoreInputs() []Input {
	return append([]Input{artifactInput}, some("baseline-branch", "update-baseline", "tracking-issue", "token", "github-api-url", "working-directory", "binary-path", "version", "log-level")...)
}

// StoreOutputs lists its outputs.
func StoreOutputs() []Output {
	return []Output{
		{"verdict", "`skipped` when this event stores nothing; else empty"},
		{"tracking-issue-url", "The issue about the default branch, where this run opened, updated or closed it"},
	}
}

// some are inputs of the action that a sub-action has too, in this order.
func some(names ...string) []Input {
	var out []Input
	for _, name := range names {
		for _, in := range Inputs() {
			if in.Name == "working-directory" {
				in.Meaning = "Where the jobs that measured began; nothing is checked out here"
			}
			if in.Name == name {
				out = append(out, in)
			}
		}
	}
	return out
}
