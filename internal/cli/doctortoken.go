package cli

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/github"
)

// A feature is something that the Action does and needs a right for.
type feature struct {
	name  string
	right string // beyond contents: read
	what  string // said beside the right
	store bool   // in the job that stores baselines, not in the one that measures a pull request
}

// features are in the order in which a permissions block is usually written.
var features = []feature{
	{"comment", "pull-requests: write", "the comment", false},
	{"accept", "pull-requests: write", "who put the label on, and what was accepted", false},
	{"rejudge", "actions: read", "labels judge the saved result again, without load", false},
	{"check-run", "checks: write", "the check run", false},
	{"deployment", "deployments: read", "base-url: deployment:NAME", false},
	{"merge-queue", "checks: read", "the conclusion of the pull request's own job", false},
	{"baseline", "contents: write", "the branch of the baselines", true},
	{"tracking", "issues: write", "the issue about the default branch", true},
}

func featureNames() []string {
	var all []string
	for _, f := range features {
		all = append(all, f.name)
	}
	return all
}

// token asks GitHub what the token may do, and writes the permissions block.
func (d *doctor) token(ctx context.Context, env *Env) {
	d.permissions = permissionsFor(d.features)
	if env.get("GITHUB_REPOSITORY") == "" {
		return
	}
	client, err := clientFromEnv(env)
	if err != nil {
		d.bad("token", "", "%v", err)
		return
	}
	pr := d.pr
	if e, err := github.Detect(env.get, os.ReadFile); err == nil && pr == 0 {
		pr = e.PR
	}
	has := client.Rights(ctx, pr)
	for _, r := range has {
		use := usesOf(r.Name, d.features)
		switch {
		case r.Has:
			d.ok("token", "has %s", r.Name)
		case !r.Known && use != "":
			d.warn("token", "name one with --pr", "it cannot be told whether it has %s: %s", r.Name, r.Why)
		case r.Name == "contents: read":
			d.bad("token", "give the job `permissions: { contents: read }`", "cannot read the repository: %s", r.Why)
		case use != "":
			d.warn("token", "give the job the right, as below; on pull requests of forks and Dependabot there is none, and that is as it should be", "has no %s, which is for %s: %s", r.Name, use, r.Why)
		}
	}
}

// usesOf says what a right is for, among the features that were asked for; "" for
// nothing.
func usesOf(right string, asked []string) string {
	var all []string
	for _, f := range features {
		if f.right == right && slices.Contains(asked, f.name) {
			all = append(all, f.what)
		}
	}
	return strings.Join(all, ", ")
}

// permissionsFor writes the least rights that the features need, job by job: no
// job that runs a pull request's code may write contents.
func permissionsFor(asked []string) string {
	var b strings.Builder
	block := func(job string, store bool) {
		b.WriteString("  " + job + ":\n    permissions:\n")
		if !store {
			b.WriteString("      contents: read\n")
		}
		written := map[string]bool{}
		for _, f := range features {
			right := f.right
			if f.name == "merge-queue" && slices.Contains(asked, "check-run") {
				continue // write holds read
			}
			if f.store != store || !slices.Contains(asked, f.name) || written[right] {
				continue
			}
			written[right] = true
			b.WriteString("      " + right + " # " + usesOf(right, asked) + "\n")
		}
	}
	b.WriteString("permissions:\n  contents: read\njobs:\n")
	block("gate", false)
	if slices.ContainsFunc(features, func(f feature) bool { return f.store && slices.Contains(asked, f.name) }) {
		block("baseline", true)
	}
	return b.String()
}
