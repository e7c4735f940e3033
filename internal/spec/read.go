package spec

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A reader turns nodes into values by the key table, and keeps every problem it
// meets. After a problem it goes on with the default, so that all problems of a
// file are found at once.
type reader struct {
	src       *source
	env       func(string) (string, bool)
	files     *files
	problems  []Problem
	warnings  []Problem
	secrets   map[string]bool    // values to mask
	captures  map[string][]*node // every name that some step captures
	usedNames map[string]bool    // names in templates
	hadRead   func(section, key string)

	// aside is set while a part of the file is read that this run does not use:
	// an unset variable is no mistake there.
	aside bool
}

// report adds a problem that stands at a stretch of a node.
func (r *reader) report(n *node, at span, hint, format string, args ...any) {
	r.problems = append(r.problems, r.problem(n, at, hint, format, args...))
}

func (r *reader) problem(n *node, at span, hint, format string, args ...any) Problem {
	message := fmt.Sprintf(format, args...)
	for f := n; f != nil; f = f.parent {
		if f.flag != "" {
			return Problem{File: f.flag, Message: message, Hint: hint}
		}
	}
	return r.src.problem(at, hint, message)
}

// bad reports a problem with a value, badKey one with its key.
func (r *reader) bad(n *node, hint, format string, args ...any) {
	r.report(n, n.val, hint, format, args...)
}

func (r *reader) badKey(n *node, hint, format string, args ...any) {
	r.report(n, n.key, hint, format, args...)
}

func (r *reader) warn(n *node, at span, hint, format string, args ...any) {
	if !r.aside {
		r.warnings = append(r.warnings, r.problem(n, at, hint, format, args...))
	}
}

// place finds the stretch of the file that a byte of the node's text, after
// variables were filled in, came from.
func (r *reader) place(n *node, offset int) span {
	if n.val.end > len(r.src.text) || n.val.start >= n.val.end {
		return n.val
	}
	literal := r.src.text[n.val.start:n.val.end]
	if literal[0] != '"' && literal[0] != '\'' {
		return n.val
	}
	var inLiteral, inText []int
	raw := decode(literal, func(i int) { inLiteral = append(inLiteral, i) })
	expand(raw, r.env, func(i int) { inText = append(inText, i) }, func(variable) {})
	at := func(offset int) int {
		if offset >= len(inText) || inText[offset] >= len(inLiteral) {
			return n.val.end - 1 // behind the last byte: the closing quote
		}
		return n.val.start + inLiteral[inText[offset]]
	}
	start, end := at(offset), offset
	for end < len(inText) && wordByte(raw, inText, end) {
		end++
	}
	return span{start, max(start+1, at(end))}
}

// wordByte says whether the byte of the text belongs to a word, which is then
// underlined as a whole.
func wordByte(raw string, inText []int, i int) bool {
	c := raw[min(inText[i], len(raw)-1)]
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// badRule reports a mistake in an expression, which begins at offset at of the
// node's text.
func (r *reader) badRule(n *node, err error, at int) {
	if e, ok := errors.AsType[*rule.Error](err); ok {
		r.report(n, r.place(n, at+e.Offset), e.Hint, "%s", e.Msg)
		return
	}
	r.bad(n, "", "%s", err)
}

// badUnit reports a mistake in a quantity.
func (r *reader) badUnit(n *node, err error) {
	if e, ok := errors.AsType[*unit.Error](err); ok {
		r.bad(n, e.Hint, "%s", e.Msg)
		return
	}
	r.bad(n, "", "%s", err)
}

// text is the node's string with variables filled in. ok is false when one has
// no value; that is reported.
func (r *reader) text(n *node) (string, bool) { return r.filled(n, r.env) }

// templateText is text in which {{ }} will be filled in. That of the file only:
// the name of a branch, say, must not be able to send a secret somewhere.
func (r *reader) templateText(n *node) (string, bool) {
	return r.filled(n, func(name string) (string, bool) {
		value, ok := r.env(name)
		return strings.ReplaceAll(value, "{{", "{{ '{{' }}"), ok
	})
}

// shown is text of what reports show: names, tags, limits. A variable that is
// named like a secret stays as it is written there, so that its value is in no
// report, and a name is the same whatever the value is.
func (r *reader) shown(n *node) (string, bool) {
	return r.filled(n, func(name string) (string, bool) {
		value, ok := r.env(name)
		if ok && value != "" && secretName(name) {
			return "${" + name + "}", true
		}
		return value, ok
	})
}

// isShown says whether the text of a key is part of reports.
func (k *key) isShown() bool {
	switch k.kind {
	case limitKind, limitsKind, thresholdsKind, ruleKind, comparesKind:
		return true
	default:
		return k.name == "name" || k.name == "description" || k.name == "tags"
	}
}

func (r *reader) filled(n *node, env func(string) (string, bool)) (string, bool) {
	s, isText := n.value.(string)
	if !isText {
		return "", false
	}
	out, ok := expand(s, env, nil, func(v variable) { r.missing(n, s, v) })
	r.noteSecrets(s)
	return out, ok
}

// noteSecrets keeps the values of variables that are named like secrets.
func (r *reader) noteSecrets(s string) {
	for i := 0; ; {
		v, ok := nextVariable(s, i)
		if !ok {
			return
		}
		i = v.end
		value, set := r.env(v.name)
		if set && value != "" && secretName(v.name) {
			r.secrets[value] = true
		}
		r.notePasswords(value)
	}
}

var urlPassword = regexp.MustCompile(`://[^/@:\s]*:([^/@\s]+)@`)

// notePasswords keeps the passwords of URLs in a text.
func (r *reader) notePasswords(text string) {
	if !strings.Contains(text, "://") {
		return
	}
	for _, m := range urlPassword.FindAllStringSubmatch(text, -1) {
		r.secrets[m[1]] = true
	}
}

func (r *reader) missing(n *node, text string, v variable) {
	at := n.val
	if n.flag == "" {
		at = r.rawPlace(n, text, v.at, v.end)
	}
	switch {
	case v.mistake != "":
		message, hint, _ := strings.Cut(v.mistake, "; ")
		r.report(n, at, hint, "%s", message)
	case r.aside:
	default:
		state := "not set"
		if _, set := r.env(v.name); set {
			state = "set but empty"
		}
		flag := ""
		if n.name == "url" && n.parent.name == "target" {
			flag = "pass `--target`, "
		}
		r.report(n, at, "export it, "+flag+"or write `${"+v.name+":-default}`", "%s is %s", v.name, state)
	}
}

// rawPlace is the stretch of a node's string before variables were filled in.
func (r *reader) rawPlace(n *node, text string, start, end int) span {
	if n.val.end > len(r.src.text) || n.val.start >= n.val.end {
		return n.val
	}
	var from []int
	if decode(r.src.text[n.val.start:n.val.end], func(i int) { from = append(from, i) }) != text || start >= len(from) {
		return n.val
	}
	last := n.val.end - 1
	if end < len(from) {
		last = n.val.start + from[end]
	}
	return span{n.val.start + from[start], last}
}

// wholeVariable says whether the node is a string of nothing but one ${...},
// which may stand for a number or boolean.
func wholeVariable(n *node) bool {
	s, ok := n.value.(string)
	if !ok {
		return false
	}
	v, ok := nextVariable(s, 0)
	return ok && v.whole
}

// wrongKind reports a value of the wrong type, in the words of the key.
func (r *reader) wrongKind(n *node, k *key) {
	s, _ := n.value.(string)
	if _, isText := n.value.(string); isText {
		var ok bool
		if s, ok = r.text(n); !ok {
			return
		}
	}
	hint := ""
	switch k.kind {
	case integerKind, numberKind, booleanKind:
		if literal := strings.TrimSpace(s); literal != "" && rightLiteral(literal, k.kind) && !wholeVariable(n) {
			hint = "write it without quotes, " + n.label() + " = " + literal
		}
	case tablesKind:
		if n.kind == tableNode && n.name != "" {
			hint = "write [[" + strings.TrimSuffix(strings.TrimPrefix(header(n), "["), "]") + "]], with two brackets"
		}
	case textsKind, limitsKind, checksKind, thresholdsKind, comparesKind:
		if s != "" {
			hint = "write it in brackets, " + n.label() + " = [" + quote(s) + "]"
		}
	default: // the message says it all
	}
	r.bad(n, hint, "%s is %s: want %s", n.label(), n.written(s), k.want())
}

func rightLiteral(s string, k kind) bool {
	switch k {
	case integerKind:
		_, err := strconv.ParseInt(s, 10, 64)
		return err == nil
	case numberKind:
		_, err := strconv.ParseFloat(s, 64)
		return err == nil
	default:
		return s == "true" || s == "false"
	}
}

// header is how the table of a node is written: [scenario.load].
func header(n *node) string {
	var parts []string
	for ; n.parent != nil; n = n.parent {
		if n.name != "" {
			parts = append(parts, n.name)
		}
	}
	slices.Reverse(parts)
	return "[" + strings.Join(parts, ".") + "]"
}

// templateString reads a string with {{ }}.
func (r *reader) templateString(n *node, k *key) (string, bool) {
	if _, ok := n.value.(string); !ok {
		r.wrongKind(n, k)
		return "", false
	}
	return r.templateText(n)
}

// string reads a string: any scalar kind whose value is text.
func (r *reader) string(n *node, k *key) (string, bool) {
	if _, ok := n.value.(string); !ok {
		r.wrongKind(n, k)
		return "", false
	}
	if k.isShown() {
		return r.shown(n)
	}
	return r.text(n)
}

func (r *reader) integer(n *node, k *key) (int64, bool) {
	v, ok := n.value.(int64)
	if !ok && wholeVariable(n) {
		s, filled := r.text(n)
		if !filled {
			return 0, false
		}
		var err error
		v, err = strconv.ParseInt(s, 10, 64)
		ok = err == nil
	}
	switch {
	case !ok:
		r.wrongKind(n, k)
		return 0, false
	case !k.inRange(float64(v)):
		r.bad(n, "", "%s is %d: want %s", n.label(), v, k.want())
		return 0, false
	}
	return v, true
}

func (r *reader) number(n *node, k *key) (float64, bool) {
	v, ok := float(n.value)
	if !ok && wholeVariable(n) {
		s, filled := r.text(n)
		if !filled {
			return 0, false
		}
		var err error
		v, err = strconv.ParseFloat(s, 64)
		ok = err == nil
	}
	switch {
	case !ok || math.IsNaN(v):
		r.wrongKind(n, k)
		return 0, false
	case !k.inRange(v):
		r.bad(n, "", "%s is %s: want %s", n.label(), strconv.FormatFloat(v, 'g', -1, 64), k.want())
		return 0, false
	}
	return v, true
}

// finite reports nan and inf, which TOML has and JSON has not, anywhere below a node.
func (r *reader) finite(n *node) bool {
	if v, ok := n.value.(float64); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
		r.bad(n, "", "%s is %s: want a number that can be written in JSON", n.label(), n.written(""))
		return false
	}
	ok := true
	for _, k := range n.kids {
		ok = r.finite(k) && ok
	}
	return ok
}

func float(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func (r *reader) boolean(n *node, k *key) (value, ok bool) {
	v, ok := n.value.(bool)
	if !ok && wholeVariable(n) {
		s, filled := r.text(n)
		if !filled {
			return false, false
		}
		v, ok = s == "true", s == "true" || s == "false"
	}
	if !ok {
		r.wrongKind(n, k)
	}
	return v, ok
}

func (r *reader) duration(n *node, k *key) (time.Duration, bool) {
	if v, ok := float(n.value); ok {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		r.bad(n, `write it as a string with a unit, "`+text+`s"`, "%s is %s:", n.label(), text)
		return 0, false
	}
	s, ok := r.string(n, k)
	if !ok {
		return 0, false
	}
	d, err := unit.ParseDuration(s)
	if err != nil {
		r.badUnit(n, err)
		return 0, false
	}
	if !k.inRange(d.Seconds()) {
		r.bad(n, "", "%s is %s: want a duration%s", n.label(), quote(s), k.rangeText())
		return 0, false
	}
	return d, true
}

func (r *reader) rate(n *node, k *key) (float64, bool) {
	if v, ok := float(n.value); ok {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		r.bad(n, `write "`+text+`/s"`, "%s is %s: per what?", n.label(), text)
		return 0, false
	}
	s, ok := r.string(n, k)
	if !ok {
		return 0, false
	}
	v, err := unit.ParseRate(s)
	if err != nil {
		r.badUnit(n, err)
		return 0, false
	}
	if !k.inRange(v) {
		r.bad(n, "", "%s is %s: want a rate%s", n.label(), quote(s), k.rangeText())
		return 0, false
	}
	return v, true
}

func (r *reader) size(n *node, k *key) (int64, bool) {
	if v, ok := float(n.value); ok {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		r.bad(n, `write it as a string with a unit, "`+text+`B" or "`+text+`KB"`, "%s is %s:", n.label(), text)
		return 0, false
	}
	s, ok := r.string(n, k)
	if !ok {
		return 0, false
	}
	v, err := unit.ParseSize(s)
	if err != nil {
		r.badUnit(n, err)
		return 0, false
	}
	if !k.inRange(float64(v)) {
		r.bad(n, "", "%s is %s: want a size%s", n.label(), quote(s), k.rangeText())
		return 0, false
	}
	return v, true
}

func (r *reader) percent(n *node, k *key) (float64, bool) {
	if v, ok := float(n.value); ok {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		percent := text + "%"
		if v > 0 && v <= 1 {
			percent = unit.FormatPercent(v)
		}
		r.bad(n, `write it as a string with a percent sign, "`+percent+`"`, "%s is %s:", n.label(), text)
		return 0, false
	}
	s, ok := r.string(n, k)
	if !ok {
		return 0, false
	}
	v, err := unit.ParsePercent(s)
	if err != nil {
		r.badUnit(n, err)
		return 0, false
	}
	if !k.inRange(v) {
		r.bad(n, "", "%s is %s: want a percentage%s", n.label(), quote(s), k.rangeText())
		return 0, false
	}
	return v, true
}

// quantity reads what a series is limited by: a plain number, bytes, or a share.
// It is 0 when it is wrong.
func (r *reader) quantity(n *node, k *key) (float64, unit.Base) {
	if v, ok := float(n.value); ok && v > 0 && !math.IsInf(v, 0) {
		return v, unit.BasePlain
	}
	s, ok := r.string(n, k)
	if !ok {
		return 0, unit.BasePlain
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil && v > 0 && wholeVariable(n) {
		return v, unit.BasePlain
	}
	if v, err := unit.ParsePercent(s); err == nil && v > 0 {
		return v, unit.BaseShare
	}
	if v, err := unit.ParseSize(s); err == nil && v > 0 {
		return float64(v), unit.BaseBytes
	}
	r.wrongKind(n, k)
	return 0, unit.BasePlain
}

// word reads one of the key's words.
func (r *reader) word(n *node, k *key) (string, bool) {
	if _, isText := n.value.(string); !isText {
		// http.version = 1.1 reads well, and is a number to TOML.
		if v, isNumber := float(n.value); isNumber {
			if text := strconv.FormatFloat(v, 'f', -1, 64); slices.Contains(k.words, text) {
				r.bad(n, `write it in quotes, "`+text+`"`, "%s is %s, a number: want %s", n.label(), text, k.want())
				return "", false
			}
		}
		r.wrongKind(n, k)
		return "", false
	}
	s, ok := r.text(n)
	if !ok {
		return "", false
	}
	if slices.Contains(k.words, s) {
		return s, true
	}
	hint := ""
	if near := nearWord(s, k.words); near != "" {
		hint = didYouMean(near)
	}
	r.bad(n, hint, "%s is %s: want %s", n.label(), quote(s), orList(k.words))
	return "", false
}

func (r *reader) regexp(n *node, k *key) (string, bool) {
	s, ok := r.string(n, k)
	if !ok {
		return "", false
	}
	if _, err := regexp.Compile(s); err != nil {
		hint := "the syntax is RE2, https://github.com/google/re2/wiki/Syntax"
		if e := new(syntax.Error); errors.As(err, &e) {
			r.bad(n, hint, "%s is no regular expression: %s", quote(s), e.Code)
		} else {
			r.bad(n, hint, "%s is no regular expression", quote(s))
		}
		return "", false
	}
	return s, true
}
