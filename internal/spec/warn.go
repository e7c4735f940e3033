package spec

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
)

// jobLimit is how long a job on GitHub's own runners may take
// (https://docs.github.com/actions/reference/limits).
const jobLimit = 6 * time.Hour

// lint looks for what is allowed and mostly not meant.
func (b *builder) lint() {
	b.unusedCaptures()
	b.fewRequests()
	b.coldStart()
	b.unmeasuredStarts()
	b.tooLong()
	b.literals(b.root, true)
}

func (b *builder) unusedCaptures() {
	for _, c := range b.captured {
		if !c.used {
			b.warn(c.node, c.node.key, "no {{ "+c.node.name+" }} comes after it", "%s is captured and never used", c.node.name)
		}
	}
}

// samplesBeyond is how many samples a percentile needs beyond itself before it
// says anything: 200 requests for p95, 1000 for p99.
const samplesBeyond = 10

// fewRequests warns of limits on percentiles for which the plan sends too few
// requests, as far as the plan says how many.
func (b *builder) fewRequests() {
	for _, l := range b.spec.Gate.Thresholds {
		p, ok := rule.Percentile(l.Rule.Selector.Stat)
		if !ok || p >= 100 {
			continue
		}
		need := math.Ceil(samplesBeyond / (1 - p/100) * (1 - 1e-12))
		most, known := b.mostRequests(&l.Rule.Selector)
		if !known || most >= need {
			continue
		}
		warning := Problem{File: b.src.file, Pos: l.Pos, Source: b.src.line(l.Pos.Line), Width: 1}
		warning.Message = "the load sends at most " + unit.Count(int64(most)) + " requests for " + quote(l.Rule.Text)
		warning.Hint = l.Rule.Selector.Stat + " needs " + unit.Count(int64(need))
		b.warnings = append(b.warnings, warning)
	}
}

// mostRequests is the most requests that the plan can send for a selector;
// known is false where that depends on how fast the target is.
func (b *builder) mostRequests(s *rule.Selector) (most float64, known bool) {
	if s.Metric != "latency" && s.Metric != "service" && s.Metric != "ttfb" {
		return 0, false
	}
	iterations := map[*Scenario]float64{}
	for _, track := range b.spec.Load.Tracks {
		if !b.addIterations(track, iterations) {
			return 0, false
		}
	}
	known = true
	steps, byStep := s.Tag("step")
	b.eachStep(s, func(w *walk, step *Step) {
		switch {
		case byStep && !slices.Contains(steps, step.Name):
		case w == nil || step.ForEach != nil:
			known = false
		case w.off == "":
			most += iterations[w.scenario] * float64(step.Repeat)
		}
	})
	return most, known
}

// addIterations shares the iterations of a track out among its scenarios.
func (b *builder) addIterations(track plan.Track, into map[*Scenario]float64) bool {
	total := 0.0
	switch {
	case track.Open:
		for _, s := range track.Stages {
			if s.Measure {
				total += (s.From + s.To) / 2 * s.Duration.Seconds()
			}
		}
	case track.Iterations > 0:
		total = float64(track.Iterations)
	case track.IterationsPerUser > 0:
		total = float64(track.IterationsPerUser) * track.Peak()
	default:
		return false
	}
	weights := 0.0
	for _, s := range track.Shares {
		if s.Users > 0 {
			return false
		}
		weights += s.Weight
	}
	for _, s := range track.Shares {
		into[b.spec.Scenarios[s.Scenario]] += total * s.Weight / weights
	}
	return true
}

// coldStart warns of an open load that is compared from its first request on:
// connections, caches and pools of the target are empty then.
func (b *builder) coldStart() {
	if len(b.spec.Gate.Compare) == 0 || b.spec.Gate.Baseline == "none" || b.in.Paired {
		return
	}
	for _, track := range b.spec.Load.Tracks {
		if !track.Open || !track.Stages[0].Measure {
			continue
		}
		n := b.root.kid("load")
		for _, w := range b.walks {
			if w.own && w.scenario.Name == track.Name {
				n = w.table.n.kid("load")
			}
		}
		if n != nil && n.flag == "" {
			b.warn(n, n.key, `write warmup = "15s"`, "the load is compared with a baseline and has no warmup")
		}
	}
}

func (b *builder) tooLong() {
	limit := b.in.MaxDuration
	if limit == 0 {
		limit = jobLimit
	}
	total := b.spec.Load.Duration()
	if b.spec.Load.Counted() || total <= limit || b.in.Paired {
		return
	}
	if n := b.root.kid("load"); n != nil {
		b.warn(n, n.key, "shorten it, or choose a profile", "the load takes %s, and the run may take %s", unit.FormatDuration(total), unit.FormatDuration(limit))
	}
}

var (
	secretLine = regexp.MustCompile(`(?i)^(\s*[\w."'-]*(?:passw(?:or)?d|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|bearer)\w*["']?\s*[=:]\s*)(.+)$`)
	anyLine    = regexp.MustCompile(`^(\s*[\w."'-]+\s*[=:]\s*)(.+)$`)
	tokenShape = regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.)`)
)

// looksLikeToken knows the forms of GitHub's, OpenAI's, AWS's and Slack's tokens
// and of JSON web tokens. The regular expression is asked last: it is slow.
func looksLikeToken(text string) bool {
	for _, mark := range []string{"gh", "sk-", "AKIA", "xox", "eyJ"} {
		if strings.Contains(text, mark) {
			return tokenShape.MatchString(text)
		}
	}
	return false
}

var joinWords = strings.NewReplacer("_", "", "-", "")

// secretKey says whether a key is called like one that holds a secret.
func secretKey(name string) bool {
	name = joinWords.Replace(strings.ToLower(name))
	for _, end := range []string{"password", "passwd", "secret", "token", "apikey", "accesskey", "privatekey"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// literals finds secrets that stand in the file itself. They are masked in all
// that is said about the file, and warned about where asked.
func (b *builder) literals(n *node, warn bool) {
	for _, k := range n.kids {
		if n.parent == nil && k.name == "metrics" {
			continue
		}
		b.literals(k, warn)
		text, ok := k.value.(string)
		b.notePasswords(text)
		if !ok || k.flag != "" || strings.Contains(text, "${") || len(text) < 4 {
			continue
		}
		why := ""
		switch inSecrets := n.name == "secrets"; {
		case looksLikeToken(text):
			why = "looks like a token"
		case strings.Contains(text, "{{"):
		case inSecrets:
			why = "is a secret"
		case n.name == "capture" || n.name == "checks" || n.name == "record" || n.name == "tls":
		case secretKey(k.name):
			why = "looks like a secret"
		case n.kind == listNode && n.parent != nil && n.parent.name == "secrets": // a list, where a string is wanted
			why = "is a secret"
		case strings.EqualFold(k.name, "authorization") || k.name == "bearer" || n.name == "basic" && k.name != "user":
			why = "looks like a credential"
		case n.name == "auth" && n.parent != nil && n.parent.name == "http": // a slip in the name of a key
			why = "looks like a credential"
		}
		if why != "" {
			b.secrets[text] = true
			b.noteLiteral(text)
		}
		if why != "" && warn {
			b.warn(k, k.val, `take it from the environment, "${`+variableFor(k.name)+`}"`, "the value of %s %s, and stands in the file", k.label(), why)
		}
	}
}

// variableFor is a name for a variable that holds a key's value.
func variableFor(name string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		default:
			return '_'
		}
	}, strings.ToUpper(name))
	if !variableName(out) {
		return "SECRET"
	}
	return out
}
