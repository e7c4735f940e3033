package rule

import "bytes"

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
