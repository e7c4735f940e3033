package rule

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// A path is looked up in the bytes of the body, which are never decoded as a
// whole: what lies beside the path is skipped, in the order of the document.
// Three things follow. A body that was cut at body_limit still answers for
// every value that came whole before the cut. Of two members with one name the
// first counts. And a fault behind the value is not seen.

// maxDepth is how many levels ".." goes down: it reads what is below a value
// once for each level, and a target must not be able to keep us busy with a
// body of nothing but brackets (1 MiB of them takes some 0.1 s).
const maxDepth = 64

// A doc is a JSON text that paths are looked up in.
type doc struct {
	b     []byte
	known skips
}

// skips remembers where large arrays and objects end: the next path need not look
// for it again.
type skips struct {
	n  int // how many were kept; the latest eight are
	at [8]struct{ start, end int }
}

// worthKeeping is how long, in bytes, what was skipped is for its end to be kept.
const worthKeeping = 128

// find gives the first value at p, as JSON; ok is false when there is none.
func (d *doc) find(p *path) (raw []byte, ok bool) {
	if p.many {
		d.each(p, func(v []byte) bool {
			raw, ok = v, true
			return false
		})
		return raw, ok
	}
	i, ok := d.locate(p)
	if !ok {
		return nil, false
	}
	return d.whole(i, len(p.segs) > 0)
}

// locate gives the offset of the value at a path that gives one.
func (d *doc) locate(p *path) (i int, ok bool) {
	i = skipSpace(d.b, 0)
	for k := range p.segs {
		if i = d.child(i, &p.segs[k]); i < 0 {
			return 0, false
		}
	}
	return i, i < len(d.b)
}

// each calls yield with each value at p, until it says false.
func (d *doc) each(p *path, yield func(raw []byte) bool) {
	d.eachAt(skipSpace(d.b, 0), p.segs, false, 0, yield)
}

// eachAt is each for the value at i; inside says that it is not all of the text.
// It goes into a value before it looks for its end, which a cut may have taken.
func (d *doc) eachAt(i int, segs []segment, inside bool, depth int, yield func(raw []byte) bool) bool {
	if len(segs) == 0 {
		raw, ok := d.whole(i, inside)
		return !ok || yield(raw)
	}
	seg := &segs[0]
	if !seg.all {
		if at := d.child(i, seg); at >= 0 && !d.eachAt(at, segs[1:], true, depth, yield) {
			return false
		}
	} else {
		for it := d.open(i); it.member(); {
			if !d.eachAt(it.start, segs[1:], true, depth, yield) {
				return false
			}
			if !it.skip() {
				break
			}
		}
	}
	if !seg.deep || depth == maxDepth {
		return true
	}
	for it := d.open(i); it.member(); {
		if !d.eachAt(it.start, segs, true, depth+1, yield) {
			return false
		}
		if !it.skip() {
			break
		}
	}
	return true
}

// child is the offset of the child of the value at i that seg names, or -1.
func (d *doc) child(i int, seg *segment) int {
	if i >= len(d.b) {
		return -1
	}
	it := d.open(i)
	switch {
	case seg.named && d.b[i] == '{':
		for it.member() {
			if it.hasName(seg.name) {
				return it.start
			}
			if !it.skip() {
				return -1
			}
		}
	case !seg.named && d.b[i] == '[':
		n := seg.index
		if n < 0 {
			if d.skip(i) < 0 {
				return -1 // cut: which one is the last?
			}
			n += d.length(i)
		}
		for ; n >= 0 && it.member(); n-- {
			if n == 0 {
				return it.start
			}
			if !it.skip() {
				return -1
			}
		}
	}
	return -1
}

// length counts the children of the array or object at i.
func (d *doc) length(i int) int {
	n := 0
	for it := d.open(i); it.next(); {
		n++
	}
	return n
}

// A walker goes over the children of one array or object.
type walker struct {
	doc        *doc
	b          []byte // doc.b
	at         int
	object     bool
	over       bool
	name       []byte // of the member, without quotes; nil in an array
	start, end int    // of the value; end is set by skip
}

// open starts a walker on the value at i; on a scalar it has no children.
func (d *doc) open(i int) walker {
	b := d.b
	if i >= len(b) || !isContainer(b[i]) {
		return walker{over: true}
	}
	return walker{doc: d, b: b, at: skipSpace(b, i+1), object: b[i] == '{'}
}

// next moves to the next child and over it; false at the end, or where the
// document breaks off.
func (w *walker) next() bool { return w.member() && w.skip() }

// member moves to the next child, up to the start of its value.
func (w *walker) member() bool {
	if w.over || w.at >= len(w.b) || w.b[w.at] == '}' || w.b[w.at] == ']' {
		return false
	}
	if w.object {
		if w.b[w.at] != '"' {
			return false
		}
		end := skipString(w.b, w.at)
		if end < 0 {
			return false
		}
		w.name = w.b[w.at+1 : end-1]
		w.at = skipSpace(w.b, end)
		if w.at >= len(w.b) || w.b[w.at] != ':' {
			return false
		}
		w.at = skipSpace(w.b, w.at+1)
	}
	w.start = w.at
	return w.start < len(w.b)
}

// skip moves over the value of the child; false when it is not whole.
func (w *walker) skip() bool {
	w.end = w.doc.skip(w.start)
	if w.end < 0 || w.end == len(w.b) && !closed(w.b[w.start]) {
		return false
	}
	w.at = skipSpace(w.b, w.end)
	if w.at < len(w.b) && w.b[w.at] == ',' {
		w.at = skipSpace(w.b, w.at+1)
	} else {
		w.over = true
	}
	return true
}

func (w *walker) hasName(name string) bool {
	if bytes.IndexByte(w.name, '\\') < 0 {
		return string(w.name) == name
	}
	got, ok := unescape(w.name)
	return ok && got == name
}

// whole is the value at i, or false when the document ends within it. A number
// that the end of the document cuts off could have gone on, unless it is all of
// the document.
func (d *doc) whole(i int, inside bool) ([]byte, bool) {
	if i >= len(d.b) {
		return nil, false
	}
	end := d.skip(i)
	if end < 0 || inside && end == len(d.b) && !closed(d.b[i]) {
		return nil, false
	}
	return d.b[i:end], true
}

// closed says that a value that starts with c ends with a mark of its own.
func closed(c byte) bool { return c == '"' || isContainer(c) }

func isContainer(c byte) bool { return c == '{' || c == '[' }

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// skip is the offset behind the value at i, or -1 when it does not end.
func (d *doc) skip(i int) int {
	switch d.b[i] {
	case '"':
		return skipString(d.b, i)
	case '{', '[':
		return d.skipKnown(i)
	default:
		return skipScalar(d.b, i)
	}
}

// skipKnown is skipContainer with a memory.
func (d *doc) skipKnown(i int) int {
	for k := range min(d.known.n, len(d.known.at)) {
		if d.known.at[k].start == i {
			return d.known.at[k].end
		}
	}
	end := skipContainer(d.b, i)
	if end-i >= worthKeeping {
		at := &d.known.at[d.known.n%len(d.known.at)]
		at.start, at.end = i, end
		d.known.n++
	}
	return end
}

// skipScalar is the offset behind the number, true, false or null at i.
func skipScalar(b []byte, i int) int {
	start := i
	for i < len(b) && b[i] > ' ' && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] != ':' && b[i] != '"' {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// skipString is the offset behind the string at i, or -1 when it does not end.
func skipString(b []byte, i int) int {
	for j := i + 1; ; {
		n := bytes.IndexByte(b[j:], '"')
		if n < 0 {
			return -1
		}
		j += n + 1
		back := j - 2 // an odd number of backslashes before it: the quote is escaped
		for b[back] == '\\' {
			back--
		}
		if (j-2-back)%2 == 0 {
			return j
		}
	}
}

// rawVal is the JSON value in raw; ok is false when it is none.
func rawVal(raw []byte) (v val, ok bool) {
	switch raw[0] {
	case '"':
		inner := raw[1 : len(raw)-1]
		if bytes.IndexByte(inner, '\\') < 0 {
			return val{kind: kindText, raw: inner}, true
		}
		s, ok := unescape(inner)
		return textVal(s), ok
	case '{':
		return val{kind: kindObject, raw: raw}, true
	case '[':
		return val{kind: kindArray, raw: raw}, true
	case 't':
		return boolVal(true), string(raw) == "true"
	case 'f':
		return boolVal(false), string(raw) == "false"
	case 'n':
		return val{}, string(raw) == "null"
	default:
		return numberVal(string(raw))
	}
}

// kindAt is the type of the value at i, by how it begins; ok is false when that is
// no JSON.
func (d *doc) kindAt(i int) (k kind, ok bool) {
	switch d.b[i] {
	case '"':
		return kindText, true
	case '{':
		return kindObject, true
	case '[':
		return kindArray, true
	}
	end := skipScalar(d.b, i)
	if end < 0 {
		return kindNull, false
	}
	v, ok := rawVal(d.b[i:end])
	return v.kind, ok
}

// numberVal is a JSON number: an int where it is written as one and fits, else
// a float.
func numberVal(s string) (val, bool) {
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return intVal(n), true
		}
	}
	f, ok := parseFloat(s)
	return val{kind: kindFloat, f: f + 0}, ok // -0 becomes 0
}

func unescape(inner []byte) (string, bool) {
	quoted := make([]byte, 0, len(inner)+2)
	quoted = append(append(append(quoted, '"'), inner...), '"')
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err == nil
}

// decode makes a Value of JSON; ok is false when it is broken.
func decode(raw []byte) (Value, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, false
	}
	return numbers(v), true
}

// numbers turns each json.Number below v into int64 or float64.
func numbers(v any) any {
	switch t := v.(type) {
	case json.Number:
		n, _ := numberVal(t.String())
		out, _ := n.value()
		return out
	case []any:
		for i := range t {
			t[i] = numbers(t[i])
		}
	case map[string]any:
		for k := range t {
			t[k] = numbers(t[k])
		}
	}
	return v
}
