package rule

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
