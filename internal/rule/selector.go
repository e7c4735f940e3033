package rule

import (
	"slices"
	"strconv"
	"strings"
)

// A Selector names one number of a run: a metric, of the requests that the tags
// choose, and a statistic over them.
type Selector struct {
	Metric string // as in Metrics, or own
	Kind   Kind
	Tags   []Tag
	Stat   string // never empty: "p95", "share", ...
	Unit   Unit   // of the number; `rate` is per second of it

	stated bool // the statistic was written down
}

// A Tag chooses what has one of several values.
type Tag struct {
	Name   string
	Values []string
}

// Matches says whether something has a fitting value for each tag; get gives its
// values. A value of status may be a class, 5xx.
func (s *Selector) Matches(get func(tag string) (value string, ok bool)) bool {
	for _, t := range s.Tags {
		v, ok := get(t.Name)
		if !ok || !t.takes(v) {
			return false
		}
	}
	return true
}

// Tag gives the values that are chosen of a tag; ok is false when the selector
// does not ask for it.
func (s *Selector) Tag(name string) (values []string, ok bool) {
	for _, t := range s.Tags {
		if t.Name == name {
			return t.Values, true
		}
	}
	return nil, false
}

func (t *Tag) takes(v string) bool {
	for _, want := range t.Values {
		if want == v {
			return true
		}
		if _, class := statusClass(want); class && t.Name == "status" && len(v) == 3 && v[0] == want[0] {
			return true
		}
	}
	return false
}

// String writes the selector in its usual form.
func (s *Selector) String() string {
	var b strings.Builder
	b.WriteString(s.Metric)
	for i, t := range s.Tags {
		if i == 0 {
			b.WriteByte('{')
		} else {
			b.WriteString(", ")
		}
		b.WriteString(t.Name + "=")
		for j, v := range t.Values {
			if j > 0 {
				b.WriteByte('|')
			}
			if v == "" || strings.ContainsAny(v, " \t\r\n,|}'\"") || strings.Contains(v, "{{") {
				v = "'" + strings.ReplaceAll(v, "'", "''") + "'"
			}
			b.WriteString(v)
		}
	}
	if len(s.Tags) > 0 {
		b.WriteByte('}')
	}
	if s.stated {
		b.WriteString("." + s.Stat)
	}
	return b.String()
}

// selector reads metric [{tags}] [.stat].
func (p *parser) selector(own Own) (Selector, *Metric, *Error) {
	p.space()
	at := p.pos
	name := p.metricName()
	if name == "" {
		return Selector{}, nil, p.fail(at, `write a metric, as in "latency.p95 < 500ms"`, "no metric")
	}
	m, stat, err := p.metric(own, name, at)
	if err != nil {
		return Selector{}, nil, err
	}
	s := Selector{Metric: m.Name, Kind: m.Kind}
	if p.accept("{") {
		if stat != "" {
			return s, nil, p.fail(p.pos-1, "write "+m.Name+"{...}."+stat, "tags stand before the statistic")
		}
		if err := p.tags(&s, m, own); err != nil {
			return s, nil, err
		}
		if p.accept(".") {
			at = p.pos
			stat = p.metricName()
			if stat == "" {
				return s, nil, p.fail(at, "use "+list(m.stats()), "no statistic after the dot")
			}
		}
	}
	if strings.HasPrefix(p.rest(), "(") {
		return s, nil, p.fail(p.pos, "write "+m.Name+".p95", "statistics have no brackets")
	}
	if stat != "" && !m.has(stat) {
		return s, nil, p.fail(p.pos-len(stat), didYouMean(stat, statWords(m), m.stats()), "%s has no statistic %q", m.Name, stat)
	}
	s.stated = stat != ""
	s.Stat = stat
	if stat == "" {
		s.Stat = m.Stat
	}
	s.Unit = m.unit(s.Stat)
	return s, m, nil
}

// statWords are the foreign words whose meaning the metric has.
func statWords(m *Metric) map[string]string {
	out := map[string]string{}
	for word, ours := range foreignStats {
		if m.has(ours) {
			out[word] = ours
		}
	}
	return out
}

// metricName is the run of name characters that comes next, dots included.
func (p *parser) metricName() string {
	start := p.pos
	for p.pos < len(p.text) && (isIdent(p.text[p.pos]) || p.text[p.pos] == '.' || p.text[p.pos] == '-') {
		p.pos++
	}
	return p.text[start:p.pos]
}

// metric takes a dotted name apart: the longest beginning that is a metric, and
// perhaps a statistic. target.cpu.max is the metric target.cpu.
func (p *parser) metric(own Own, name string, at int) (*Metric, string, *Error) {
	var head, stat string
	if role, ok := strings.CutPrefix(name, TargetPrefix); ok {
		role, stat, _ = strings.Cut(role, ".")
		if role == "" {
			return nil, "", p.fail(at, `write "target.cpu.max < 90%"`, "target. without a role")
		}
		head = TargetPrefix + role
	} else if m, ok := own.Find(name); ok {
		return &m, "", nil
	} else {
		head, stat, _ = strings.Cut(name, ".")
	}
	m, ok := own.Find(head)
	if !ok {
		if ours, known := foreignMetrics[name]; known {
			return nil, "", p.fail(at, `did you mean "`+ours+`"?`, "unknown metric %q", name)
		}
		return nil, "", p.fail(at, didYouMean(head, foreignMetrics, own.names()), "unknown metric %q", head)
	}
	if stat == "" && strings.HasSuffix(name, ".") {
		return nil, "", p.fail(p.pos, "use "+list(m.stats()), "no statistic after the dot")
	}
	return &m, stat, nil
}

// tags reads tag=value|value, ... }.
func (p *parser) tags(s *Selector, m *Metric, own Own) *Error {
	open := p.pos - 1
	for {
		p.space()
		if err := p.tag(s, m, own); err != nil {
			return err
		}
		p.space()
		if p.accept("}") {
			return nil
		}
		if !p.accept(",") {
			return p.fail(open, "end the tags with }, and separate them with commas", "the tags do not end")
		}
	}
}

func (p *parser) tag(s *Selector, m *Metric, own Own) *Error {
	at := p.pos
	for p.pos < len(p.text) && (isIdent(p.text[p.pos]) || p.text[p.pos] == '-') {
		p.pos++
	}
	t := Tag{Name: p.text[at:p.pos]}
	if err := p.tagName(s, m, own, t.Name, at); err != nil {
		return err
	}
	p.space()
	if p.accept(":") || !p.accept("=") {
		return p.fail(p.pos, "write "+t.Name+"=value", "no = after the tag")
	}
	for {
		p.space()
		v, err := p.tagValue()
		if err != nil {
			return err
		}
		if t.Name == "status" {
			if err := p.tagStatus(v); err != nil {
				return err
			}
		}
		t.Values = append(t.Values, v.text)
		p.space()
		if !p.accept("|") {
			break
		}
	}
	s.Tags = append(s.Tags, t)
	return nil
}

// tagValue reads a word or quoted text. Templates do not belong here, but step
// names have {{ }} in them.
func (p *parser) tagValue() (literal, *Error) {
	l := literal{at: p.pos}
	if c := p.peekByte(); c == '\'' || c == '"' {
		start := p.pos
		for p.pos++; ; {
			n := strings.IndexByte(p.rest(), c)
			if n < 0 {
				return l, p.fail(start, "end it with "+string(c), "text without a closing quote")
			}
			l.text += p.text[p.pos : p.pos+n]
			p.pos += n + 1
			if p.peekByte() != c {
				return l, nil
			}
			l.text += string(c)
			p.pos++
		}
	}
	for p.pos < len(p.text) && !isSpace(p.text[p.pos]) && strings.IndexByte(",|}", p.text[p.pos]) < 0 {
		p.pos++
	}
	l.text = p.text[l.at:p.pos]
	if l.text == "" {
		return l, p.fail(l.at, "put values with spaces in 'single quotes'", "no value after =")
	}
	return l, nil
}

func (p *parser) tagStatus(v literal) *Error {
	if _, ok := statusClass(v.text); ok {
		return nil
	}
	if n, err := strconv.Atoi(v.text); err != nil || n != 0 && (n < 100 || n > 599) {
		return p.fail(v.at, "write a code from 100 to 599, a class such as 5xx, or 0 for no response", "%q is not a status", v.text)
	}
	return nil
}

func (p *parser) tagName(s *Selector, m *Metric, own Own, name string, at int) *Error {
	known := m.Tags
	if slices.Contains(m.Tags, "step") {
		known = append(slices.Clone(m.Tags), own.Tags...)
	}
	switch {
	case name == "":
		return p.fail(at, "write tag=value, as in latency{status=200}", "no tag")
	case s.has(name):
		return p.fail(at, "write "+name+"=a|b for one of several", "the tag %s twice", name)
	case slices.Contains(known, name):
		return nil
	case len(known) == 0:
		return p.fail(at, "leave the tags out", "%s has no tags", m.Name)
	case slices.Contains(BuiltinTags, name) || slices.Contains(own.Tags, name):
		return p.fail(at, "it is counted by "+list(known), "%s is not counted by %s", m.Name, name)
	default:
		return p.fail(at, didYouMean(name, map[string]string{"name": "step", "code": "status", "url": "step", "group": "scenario", "expected_response": "status=2xx"}, known), "unknown tag %q", name)
	}
}

func (s *Selector) has(tag string) bool {
	_, ok := s.Tag(tag)
	return ok
}
