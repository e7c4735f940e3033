// Package rule is the small language of checks, limits, tolerances, capture
// sources and templates. Everything is compiled once, before the load, and is
// read-only after that: users share it.
//
// # Checks
//
// A check is a subject, a comparison and mostly a value:
//
//	status == 200                        status in [200, 404]      status == 2xx
//	latency < 500ms                      ttfb <= 100ms             size < 10KB
//	proto == 2                           checks == failed          body contains 'hello world'
//	header Content-Type contains json    cookie sid exists         header ETag matches ^"
//	$.items[0].price > 9.5               $.error not exists        $.total is number
//	$.items[*].sku contains 'A-1'        count($.items) >= 1       {{ region }} == 'eu'
//
// Comparisons are == != < <= > >=, [not] contains TEXT, [not] matches REGEX,
// [not] in [a, b], exists, not exists, and is TYPE (number string bool array object
// null). latency and ttfb count from when the request was sent.
//
// A value is a word, or text in 'single quotes' ("double" ones do too), in which
// the quote itself is written twice. An unquoted word is what it looks like: 5
// equals the number 5 and also the text "5"; true, false and null equal the JSON
// values and also that text. A quoted one is text only. A number compares as a
// number, text as it is written; < and > order text by its bytes unless the value
// is a number. Values may have {{ }} in them.
//
// A check on a missing value is false, never an error; only `not exists` holds.
//
// A REGEX runs to the end of the check; quotes around all of it are taken off. The
// syntax is RE2: no look-around, no back-references, and time in proportion to the
// text whatever the expression.
//
// A path that may give several values, with [*] or .. in it, holds when there is one
// at least and each of them holds; contains asks for one equal value among them.
// contains looks for text in text, for an equal element in an array, and for a member
// of that name in an object. count gives the elements of an array, the members of an
// object, or how many values there are at a path of several.
//
// # JSON paths
//
// Paths are the part of RFC 9535 that names places: $, .name, ['any name'], [n] ([-1]
// is the last), [*], .* and ..name (down to 64 levels). The body is not decoded: values beside the path
// are skipped, in the order of the document, so that a body cut off at body_limit
// still answers for what came whole before the cut; for exists and is it is enough that
// a value begins.
//
// # Sources
//
// $.json.path, header NAME, cookie NAME, regex RE (its first group, or else the whole
// match), status, body. A path that may give several values gives an array of them.
//
// # Limits and comparisons
//
//	latency.p95 < 500ms                  latency{status=200}.p99 < 1s
//	errors < 1%                          requests{step='add item', status=5xx|429}.count == 0
//	requests.rate > 50/s                 dropped < 0.1%
//	latency.p95 within 10% or 5ms        errors within 0.5pp
//
// The metrics are in the table Metrics. A limit on a time needs a unit; a share is
// written in percent or from 0 to 1. A tolerance in percent is relative to the
// baseline's number; pp are percentage points. A number is worse only when it is
// outside both tolerances.
//
// # Templates
//
//	{{ name }}   {{ feed.column }}   {{ user.id }}   {{ iteration }}
//	{{ random_int(1, 6) }}   {{ token | base64 }}   {{ body | hmac_sha256(key) }}
//
// Functions: uuid() random_int(a, b) random_float(a, b) random_string(n) pick(a, b, ...)
// now(layout) unix() unix_ms() seq(name). Arguments are names, numbers and 'texts'; the
// layout of now is rfc3339 (the default), rfc3339nano, rfc1123, date, time, datetime or
// one of Go's. Filters: base64 hex urlencode json sha256 md5 hmac_sha256(key) upper lower
// int string; digests are in hex. What is filled in is not searched for templates, and
// {{ '{{' }} writes two braces. A template that is exactly one {{ }} keeps the type of its
// value where types matter (in JSON); any other makes text.
package rule

import "time"

// A Value is a run-time value: nil, bool, int64, float64, string, []any or
// map[string]any, as from JSON (integers stay int64).
type Value = any

// An Error is a mistake in an expression; Offset counts bytes into Text.
type Error struct {
	Text   string
	Offset int
	Msg    string
	Hint   string
}

// Error returns the message without position.
func (e *Error) Error() string { return e.Msg }

// An Answer is what checks and captures may look at. scenario fills one in for
// each response and reuses it.
type Answer struct {
	Status       int
	Latency      time.Duration // service time
	TTFB         time.Duration
	Proto        string
	Size         int64
	Body         []byte
	ChecksFailed bool // for the subject `checks`
	Header       func(name string) (string, bool)
	Cookie       func(name string) (string, bool)

	doc     doc
	scratch []byte // what templates in values are filled in to
}

// Reset makes a ready for another answer. What was learnt about Body is forgotten,
// so it must be called when Body changes, be it in place.
func (a *Answer) Reset() {
	a.doc.known.n = 0
	a.doc.b = nil
}

// json is the body as a document.
func (a *Answer) json() *doc {
	a.doc.b = a.Body
	return &a.doc
}

// An Env gives templates their values at run time.
type Env interface {
	Lookup(name string) (Value, bool) // var, secret, feed.column, capture, user.id, iteration
	Uint64() uint64                   // the user's seeded generator
	Next(seq string) int64            // seq(name): 1, 2, 3 over the whole run
}
