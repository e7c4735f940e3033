package wire

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http2/hpack"
)

// A blockWriter encodes header blocks. Blocks never touch the dynamic table of
// a connection, so that one can be sent again on any: what is not in the static
// table whole is marked as never indexed.
type blockWriter struct {
	buf bytes.Buffer
	enc *hpack.Encoder
}

var blockWriters = sync.Pool{New: func() any {
	w := new(blockWriter)
	w.enc = hpack.NewEncoder(&w.buf)
	return w
}}

func (w *blockWriter) static(name, value string) { w.write(name, value, false) }
func (w *blockWriter) plain(name, value string)  { w.write(name, value, true) }

func (w *blockWriter) write(name, value string, never bool) {
	// A bytes.Buffer takes all: there is no error.
	_ = w.enc.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: never})
}

// appendBlock appends the header block of req.
func (c *Client) appendBlock(b []byte, req *Request) []byte {
	w := blockWriters.Get().(*blockWriter)
	defer blockWriters.Put(w)
	w.buf.Reset()
	own := scan(req.Header)
	m := method(req)
	w.write(":method", m, m != "GET" && m != "POST")
	w.static(":scheme", req.Scheme)
	w.plain(":authority", or(own.host, req.Host))
	w.write(":path", req.Path, req.Path != "/")
	if !own.userAgent && c.opts.UserAgent != "" {
		w.plain("user-agent", c.opts.UserAgent)
	}
	for _, f := range req.Header {
		if ours(f.Name) || strings.EqualFold(f.Name, "TE") && f.Value != "trailers" {
			continue
		}
		w.plain(strings.ToLower(f.Name), f.Value)
	}
	if !own.acceptEncoding && !c.opts.NoCompression {
		w.plain("accept-encoding", "gzip")
	}
	if sendsLength(req) {
		w.plain("content-length", strconv.Itoa(len(req.Body)))
	}
	if own.cookie != "" {
		w.plain("cookie", own.cookie)
	}
	return append(b, w.buf.Bytes()...)
}

// The cookies of a session are a field of their own behind the block: a server
// joins them with "; " (RFC 9113 8.2.3). cookie is number 32 of the static
// table; the value is sent as it is, never indexed.
const cookieIndex = 32

// cookieLen is the length of what appendCookie appends.
func cookieLen(cookies []byte) int {
	if len(cookies) == 0 {
		return 0
	}
	return 2 + len(appendInteger(nil, 0, 7, len(cookies))) + len(cookies)
}

func appendCookie(b, cookies []byte) []byte {
	if len(cookies) == 0 {
		return b
	}
	b = appendInteger(b, 0x10, 4, cookieIndex)
	b = appendInteger(b, 0, 7, len(cookies))
	return append(b, cookies...)
}

// appendInteger appends n with a prefix of so many bits (RFC 7541 5.1).
func appendInteger(b []byte, flags byte, bits, n int) []byte {
	most := 1<<bits - 1
	if n < most {
		return append(b, flags|byte(n))
	}
	b = append(b, flags|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
