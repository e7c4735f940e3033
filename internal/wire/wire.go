// Package wire speaks HTTP on a connection and times each phase of it. It knows
// no spec, no user and no rule. The hot path of loadline lives here.
package wire

import (
	"context"
	"sync/atomic"
	"time"
)

// A Kind is the class of a failure that left a request without a complete
// response.
type Kind uint8

// The kinds of failure, as they are written in results and in the tag `error`.
const (
	None     Kind = iota
	Timeout       // no complete response in the time allowed
	Connect       // the connection could not be made, and was not refused
	Refused       // the target refused the connection
	Reset         // the connection broke before the response was complete
	TLS           // the handshake failed
	DNS           // the name did not resolve
	Body          // the body could not be read or decoded
	Protocol      // what came back is not HTTP, or breaks its limits
	Blocked       // the request, or a redirect, left the hosts that are allowed
)

// String returns the tag value: "timeout", "connect", ... and "" for None.
func (k Kind) String() string {
	return [...]string{"", "timeout", "connect", "refused", "reset", "tls", "dns", "body", "protocol", "blocked"}[k]
}

// A Field is one header field. Names are written as given; HTTP/2 lowers them.
type Field struct{ Name, Value string }

// A Request is one request, ready to send. Send the same Request again,
// unchanged, and what was encoded for the wire is reused; after a change to any
// field call Changed. Sessions may send one Request at the same time as long as
// nobody changes it: what a thousand users send alike is then in memory, and in
// the caches of the CPU, once.
type Request struct {
	Method string
	Scheme string // "http" or "https"
	Host   string // host[:port], as in the URL
	Path   string // path and query, at least "/"
	Header []Field
	Body   []byte

	Timeout   time.Duration // for the whole request; 0: the client's
	Redirects int           // how many to follow; 0: none
	KeepBody  bool          // a check or capture reads the body: keep (and decode) it

	encoded atomic.Pointer[encoded]
}

// An encoded request is what a connection sends of it. It never changes once
// its bytes are written, but for Changed.
type encoded struct {
	bytes     []byte // head, then Body if it is small; empty: Changed was called
	headLen   int    // length of the head in bytes
	hasCookie bool   // the head ends with a Cookie field
	as        form
	by        *Client
}

// Changed forgets what an earlier Do encoded. Nobody may be sending r.
func (r *Request) Changed() {
	if e := r.encoded.Load(); e != nil {
		e.bytes = e.bytes[:0]
	}
}

// Times are the moments of one request. Every duration is since Start.
type Times struct {
	Start     time.Time     // Do was called
	DNS       time.Duration // length of the name lookup; 0 on a reused connection
	Connect   time.Duration // length of the TCP connect; 0 on a reused connection
	TLS       time.Duration // length of the TLS handshake; 0 on a reused connection
	Sent      time.Duration // the first byte of the request was handed to the kernel
	FirstByte time.Duration // the first byte of the (final) response was read
	Done      time.Duration // the last byte was read, or the request failed
}

// A Response is what came of a Request. Body and Header are valid until the
// Session's next Do. A caller reuses one Response.
type Response struct {
	Status   int    // 0 when there was no complete response
	Proto    string // "1.1", "1.0" or "2"
	Header   []Field
	Body     []byte // decoded, at most the client's BodyLimit; nil unless KeepBody
	BodySize int64  // bytes of body on the wire
	In, Out  int64  // bytes read and written, heads included
	Reused   bool   // the connection had served a request before
	Retried  bool   // sent again, as the server had closed the idle connection
	Times    Times
	Kind     Kind
	Err      error // says what failed, in words for a user; nil when Kind is None
}

// A Doer sends one request at a time and fills in resp; it never returns an
// error beside resp.Err. A cancelled ctx ends it with Kind Timeout and
// ctx.Err() wrapped in Err.
type Doer interface {
	Do(ctx context.Context, req *Request, resp *Response)
}
