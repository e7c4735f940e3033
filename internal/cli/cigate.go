package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// specAt reads a spec as a commit of the repository has it, without a checkout.
// Only its rules are wanted: variables of the environment, which may be missing
// here, are filled in with anything, and the target with the one given.
func (c *ciRun) specAt(ctx context.Context, ref, file, profile, target string) (*spec.Spec, error) {
	name, ok := c.repoPath(file)
	if !ok {
		return nil, fmt.Errorf("%s is outside of the repository", strconv.QuoteToASCII(file))
	}
	files := c.client.FilesAt(ctx, ref)
	text, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, cause(err)
	}
	folder, err := fs.Sub(files, path.Dir(name))
	if err != nil {
		return nil, err
	}
	s, problems := spec.Parse(spec.Input{
		File: file, Text: text, FS: folder, Version: version(), Profile: profile,
		Env: func(name string) (string, bool) {
			if v, ok := specVariables(c.env)(name); ok && v != "" {
				return v, true
			}
			return "1", true
		},
		Overrides: spec.Overrides{Target: target},
	})
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s", problems[0])
	}
	return s, nil
}

// repoPath names a file of the working directory from the repository's root,
// with slashes.
func (c *ciRun) repoPath(file string) (string, bool) {
	name := filepath.ToSlash(file)
	if c.in.began != "" {
		name = path.Join(filepath.ToSlash(c.in.began), name)
	} else if root := c.event.Workspace; root != "" {
		abs := file
		if !filepath.IsAbs(file) {
			abs = filepath.Join(c.env.Dir, filepath.FromSlash(file))
		}
		if rel, err := filepath.Rel(root, abs); err == nil {
			name = filepath.ToSlash(rel)
		}
	}
	return name, fs.ValidPath(name) && name != "."
}

// govern holds a pull request's spec against that of the commit it left the base
// branch at. A change of what is allowed is told of; in one from a fork it does
// not count, so that nobody raises a budget unseen.
func (c *ciRun) govern(ctx context.Context, s *spec.Spec) []verdict.Reason {
	if c.client == nil || !c.event.ForPull() || c.event.BaseSHA == "" {
		return nil
	}
	base, err := c.specAt(ctx, c.store.left(ctx), s.File, s.Profile, s.Target.URL)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a new spec: there is nothing that it changes
	}
	if err != nil {
		why := "the base branch's copy of this spec could not be read, so whether this pull request changes what is allowed is not known: " + err.Error()
		return []verdict.Reason{{Code: "base-spec", Message: why}}
	}
	changes := append(gateChanges(base.Gate, s.Gate), capacityChanges(base, s)...)
	if len(changes) == 0 {
		return nil
	}
	told := verdict.Reason{Code: "limits-changed", Message: "this pull request changes what the spec allows: " + strings.Join(changes, "; ")}
	if c.event.Fork {
		s.Gate = elsewhere(base.Gate)
		keepCapacities(base, s)
		told.Message += "; it comes from a fork, so the base branch's rules were used"
	}
	return []verdict.Reason{told}
}

// elsewhere is a gate whose rules stand in another copy of the file than the one
// that remarks are put on.
func elsewhere(g spec.Gate) spec.Gate {
	g.Thresholds, g.Compare = slices.Clone(g.Thresholds), slices.Clone(g.Compare)
	for i := range g.Thresholds {
		g.Thresholds[i].Pos = spec.Pos{}
	}
	for i := range g.Compare {
		g.Compare[i].Pos = spec.Pos{}
	}
	return g
}

// gateChanges says in words what differs between two gates, as far as it bears on
// a verdict.
func gateChanges(base, head spec.Gate) []string {
	var out []string
	before, after := gateRules(base), gateRules(head)
	for _, r := range before {
		if !slices.Contains(after, r) {
			out = append(out, "without "+r)
		}
	}
	for _, r := range after {
		if !slices.Contains(before, r) {
			out = append(out, "with "+r)
		}
	}
	return out
}

// gateRules are a gate's rules and settings, each in words.
func gateRules(g spec.Gate) []string {
	var out []string
	for _, l := range g.Thresholds {
		r := fmt.Sprintf("%q", l.Rule.Text)
		if l.Window > 0 {
			r += " in every " + l.Window.String()
		}
		if l.Abort {
			r += " that aborts"
			if l.After > 0 {
				r += " after " + l.After.String()
			}
		}
		out = append(out, warned(r, l.Warn))
	}
	for _, r := range g.Compare {
		text := fmt.Sprintf("%q", r.Rule.Text)
		if r.Per != "" {
			text += " per " + r.Per
		}
		out = append(out, warned(text, r.Warn))
	}
	return append(out, "baseline "+g.Baseline, "per "+g.Per, fmt.Sprintf("min_requests %d", g.MinRequests))
}

func warned(rule string, warn bool) string {
	if warn {
		return rule + " as a warning"
	}
	return rule
}
