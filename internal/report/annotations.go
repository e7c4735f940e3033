package report

import (
	"slices"

	"github.com/loadline-ci/loadline/internal/verdict"
)

// A Level is how loud an annotation is.
type Level string

// The levels of GitHub's workflow commands.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelNotice  Level = "notice"
)

// An Annotation is a remark on a line of the spec. Its strings are clean, on one
// line each; escaping them for a workflow command is the github package's part.
type Annotation struct {
	File    string // "" or a path in the repository
	Line    int    // 0: the whole file
	Level   Level
	Title   string
	Message string
}

// Annotations are all remarks worth making on the spec, worst first. GitHub
// shows ten of a level and fifty of a check run: the github package counts.
func (p *Page) Annotations() []Annotation {
	all := p.reasonAnnotations()
	for _, l := range p.Verdict.Limits {
		if l.OK {
			continue
		}
		a := p.annotation(LevelError, l.Line, "limit broken: "+clean(l.Limit, maxName), clean(l.Limit, maxName)+" came to "+clean(l.Shown, maxName))
		if l.Warn {
			a.Level = LevelWarning
		}
		all = append(all, a)
	}
	for _, f := range p.changed {
		if f.Call == verdict.Slower {
			all = append(all, p.findingAnnotation(&f))
		}
	}
	loudFirst(all)
	return all
}

func (p *Page) annotation(level Level, line int, title, message string) Annotation {
	return Annotation{File: clean(p.Context.SpecPath, 1000), Line: line, Level: level, Title: title, Message: message}
}

// reasonAnnotations tell of a run that could not be judged, and of warnings
// that have a line.
func (p *Page) reasonAnnotations() []Annotation {
	var all []Annotation
	invalid, unsure := p.Verdict.Outcome == verdict.Invalid, p.Verdict.Outcome == verdict.Inconclusive
	if invalid || unsure {
		level := LevelWarning
		if invalid {
			level = LevelError
		}
		for _, r := range p.Verdict.Reasons {
			if r.Code == "limit" {
				continue // a limit has an annotation of its own
			}
			all = append(all, p.annotation(level, r.Line, p.title(), advised(r)))
		}
	}
	for _, r := range p.Verdict.Warnings {
		if r.Line > 0 && r.Code != "limit" && r.Code != "slower" && r.Code != "more-errors" {
			all = append(all, p.annotation(LevelWarning, r.Line, "loadline", advised(r)))
		}
	}
	return all
}

// advised is a reason with what to do about it.
func advised(r verdict.Reason) string {
	text := prose{}.sentence(upperFirst(r.Message))
	if r.Remedy != "" {
		text = text.say(" ").sentence(upperFirst(r.Remedy))
	}
	return text.String()
}

func (p *Page) findingAnnotation(f *verdict.Finding) Annotation {
	title := p.labelOf(f) + " " + metricName(f.Metric) + " " + change(f.Metric, f.ChangePercent)
	message := value(f.Metric, f.Base) + " to " + value(f.Metric, f.Head) + ", " + change(f.Metric, rawPercent(f))
	if beyondOthers(f) {
		message += ", " + change(f.Metric, f.ChangePercent) + " beyond the other steps"
	}
	if s := spread(f); s != "" {
		message += " (range " + s + ")"
	}
	if a := allowed(f); a != "" {
		message += ", allowed " + a
	}
	level := LevelError
	if f.Warn {
		level = LevelWarning
	}
	if f.Accepted != nil {
		level = LevelNotice
		message += ". " + p.acceptance(f).String()
	}
	return p.annotation(level, f.Line, title, message)
}

// loudFirst moves errors before warnings before notices, and leaves the order
// otherwise.
func loudFirst(all []Annotation) {
	rank := map[Level]int{LevelError: 0, LevelWarning: 1, LevelNotice: 2}
	slices.SortStableFunc(all, func(a, b Annotation) int { return rank[a.Level] - rank[b.Level] })
}
