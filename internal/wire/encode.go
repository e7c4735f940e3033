package wire

import (
	"strconv"
	"strings"
)

// The forms that a request is encoded in.
type form uint8

const (
	formNone     form = iota
	formOrigin        // HTTP/1.1: GET /path
	formAbsolute      // HTTP/1.1 to a proxy: GET http://host/path
	form2             // HTTP/2: a header block
)

// bodyInline is the largest body that is encoded behind its head, to go out
// with it in one call. Larger ones are sent from where they are.
const bodyInline = 32 << 10

// encode returns the head of req, followed by its body if that is small. It is
// encoded once, until Changed. check has passed it.
func (c *Client) encode(req *Request, f form, proxyAuth string) *encoded {
	e := req.encoded.Load()
	if e != nil && len(e.bytes) > 0 && e.as == f && e.by == c {
		return e
	}
	if e == nil || len(e.bytes) > 0 {
		e = new(encoded) // others may be sending the one there is
	}
	e.as, e.by = f, c
	if f == form2 {
		e.bytes = c.appendBlock(e.bytes, req)
	} else {
		c.encode1(e, req, f, proxyAuth)
	}
	req.encoded.Store(e)
	return e
}

func (c *Client) encode1(e *encoded, req *Request, f form, proxyAuth string) {
	own := scan(req.Header)
	e.hasCookie = own.cookie != ""
	b := c.appendHead(e.bytes, req, own, f, proxyAuth)
	e.headLen = len(b)
	if len(req.Body) <= bodyInline {
		b = append(b, req.Body...)
	}
	e.bytes = b
}

// method is req's, GET by default.
func method(req *Request) string {
	if req.Method == "" {
		return "GET"
	}
	return req.Method
}

// appendHead writes the head of an HTTP/1.1 request. A Cookie field comes last,
// where those of the session are put behind it.
func (c *Client) appendHead(b []byte, req *Request, own own, f form, proxyAuth string) []byte {
	b = append(b, method(req)...)
	b = append(b, ' ')
	if f == formAbsolute {
		b = append(b, "http://"...)
		b = append(b, req.Host...)
	}
	b = append(b, req.Path...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", or(own.host, req.Host))
	if !own.userAgent && c.opts.UserAgent != "" {
		b = appendField(b, "User-Agent", c.opts.UserAgent)
	}
	for _, f := range req.Header {
		if !ours(f.Name) {
			b = appendField(b, f.Name, f.Value)
		}
	}
	if !own.acceptEncoding && !c.opts.NoCompression {
		b = appendField(b, "Accept-Encoding", "gzip")
	}
	if sendsLength(req) {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(req.Body)), 10)
		b = append(b, "\r\n"...)
	}
	if f == formAbsolute && proxyAuth != "" {
		b = appendField(b, "Proxy-Authorization", proxyAuth)
	}
	if c.opts.NoKeepAlive {
		b = append(b, "Connection: close\r\n"...)
	}
	if own.cookie != "" {
		b = appendField(b, "Cookie", own.cookie)
	}
	return append(b, "\r\n"...)
}

// sendsLength says whether a request announces the length of its body. Methods
// that expect one do so for an empty one too (RFC 9110 8.6).
func sendsLength(req *Request) bool {
	switch req.Method {
	case "POST", "PUT", "PATCH":
		return true
	}
	return len(req.Body) > 0
}

// own is what of a request's header changes the rest of it.
type own struct {
	host, cookie              string
	userAgent, acceptEncoding bool
}

func scan(header []Field) (o own) {
	for _, f := range header {
		switch {
		case strings.EqualFold(f.Name, "Host"):
			o.host = f.Value
		case strings.EqualFold(f.Name, "Cookie") && o.cookie == "":
			o.cookie = f.Value
		case strings.EqualFold(f.Name, "Cookie"):
			o.cookie += "; " + f.Value
		case strings.EqualFold(f.Name, "User-Agent"):
			o.userAgent = true
		case strings.EqualFold(f.Name, "Accept-Encoding"):
			o.acceptEncoding = true
		}
	}
	return o
}

// ours says whether a field is written by the encoder alone: those of the
// connection, as framing is no matter of a spec, and those in a place of their
// own.
func ours(name string) bool {
	switch len(name) {
	case 4:
		return strings.EqualFold(name, "Host")
	case 6:
		return strings.EqualFold(name, "Cookie")
	case 7:
		return strings.EqualFold(name, "Upgrade")
	case 10:
		return strings.EqualFold(name, "Connection") || strings.EqualFold(name, "Keep-Alive")
	case 14:
		return strings.EqualFold(name, "Content-Length")
	case 17:
		return strings.EqualFold(name, "Transfer-Encoding")
	}
	return false
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// check finds what would break the framing of a request, as a template may have
// put a line break where none may be. What is encoded has been checked.
func check(req *Request) error {
	if e := req.encoded.Load(); e != nil && len(e.bytes) > 0 {
		return nil
	}
	for _, c := range []byte(req.Method) {
		if !isToken[c] {
			return protocolf("the method %s has a character that is not allowed", quote(req.Method))
		}
	}
	if req.Host == "" {
		return protocolf("the request has no host")
	}
	if bad(req.Host) || strings.ContainsAny(req.Host, "/?#@") {
		return protocolf("the host %s has a character that is not allowed", quote(req.Host))
	}
	if req.Path == "" || bad(req.Path) {
		return protocolf("the path %s is empty or has a blank or control character: encode it (%%20)", quote(req.Path))
	}
	for _, f := range req.Header {
		if f.Name == "" {
			return protocolf("a header has no name")
		}
		for _, c := range []byte(f.Name) {
			if !isToken[c] {
				return protocolf("the header name %s has a character that is not allowed", quote(f.Name))
			}
		}
		for _, c := range []byte(f.Value) {
			if c < ' ' && c != '\t' || c == 0x7f {
				return protocolf("the header %s has a line break or control character in its value", f.Name)
			}
		}
	}
	return nil
}

// bad says whether s has a blank or control character.
func bad(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c == 0x7f {
			return true
		}
	}
	return false
}
