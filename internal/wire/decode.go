package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"sync"
)

// unzippers are the gzip readers that all sessions share: each holds 40 KiB.
var unzippers sync.Pool

// texts are where bodies are decoded to, before they take the place of what they
// were decoded from.
var texts sync.Pool

// decode hands out the body that was kept, without its gzip. Both what is read
// and what is written stay below the limit, so a gzip bomb is cut off like any
// other large body.
func (s *Session) decode(resp *Response) error {
	if s.reader.kept == nil {
		return nil
	}
	resp.Body = s.body
	encoding := Get(resp.Header, "Content-Encoding")
	if len(resp.Body) == 0 || !strings.EqualFold(encoding, "gzip") && !strings.EqualFold(encoding, "x-gzip") {
		return nil
	}
	cut := int64(len(resp.Body)) < resp.BodySize
	text, _ := texts.Get().(*[]byte)
	if text == nil {
		text = new([]byte)
	}
	defer texts.Put(text)
	var err error
	*text, err = unzip((*text)[:0], resp.Body, int(s.client.opts.BodyLimit))
	if cut && errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if err != nil {
		return fail(Body, err, "the body says it is gzip, but cannot be decoded: %v", err)
	}
	s.body = append(s.body[:0], *text...)
	resp.Body = s.body
	return nil
}

// unzip appends what is in b to dst, up to limit bytes of it.
func unzip(dst, b []byte, limit int) ([]byte, error) {
	in := bytes.NewReader(b)
	z, _ := unzippers.Get().(*gzip.Reader)
	var err error
	if z == nil {
		z, err = gzip.NewReader(in)
	} else {
		err = z.Reset(in)
	}
	if z != nil {
		defer unzippers.Put(z)
	}
	for err == nil {
		if len(dst) >= limit {
			return dst[:limit], nil
		}
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		var n int
		n, err = z.Read(dst[len(dst):min(cap(dst), limit)])
		dst = dst[:len(dst)+n]
	}
	if err == io.EOF { //nolint:errorlint // io.Reader returns it bare at the end
		err = nil
	}
	return dst, err
}
