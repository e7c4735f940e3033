package wire

import (
	"encoding/binary"
	"errors"

	"golang.org/x/net/http2/hpack"
)

// errUnprocessed says that the server has not looked at the request, so it may
// be sent again whatever it is (RFC 9113 8.7).
var errUnprocessed = errors.New("the server did not take the request")

// A conn2 is the HTTP/2 side of a connection: its frames, its windows, and the
// one stream that is open at a time.
type conn2 struct {
	c   *conn
	out []byte // frames to send with the next read
	dec *hpack.Decoder

	// The frame at hand.
	head    [frameHead]byte
	headLen int
	left    int    // bytes of its payload to come
	pad     int    // padding at its end; -1: its length is still to come
	buf     []byte // the payload so far, of frames that are not DATA

	// A header block over several frames.
	block     []byte
	blockID   uint32 // 0: none is open
	blockEnds bool   // it ends the stream
	pieces    int

	// What the peer allows, and what it was allowed.
	begun     bool  // the preface was sent
	settled   bool  // the server's first SETTINGS have come
	window    int64 // left to send on the connection
	initial   int64 // window of a new stream
	maxFrame  int
	connTaken int64 // received since the connection's window was last topped up
	gone      bool  // GOAWAY: no more streams

	stream2
}

// A stream2 is one request and its response.
type stream2 struct {
	id       uint32
	r        *reader1 // where the response goes
	window   int64    // left to send
	taken    int64    // received since its window was last topped up
	body     []byte   // left to send
	listSize int      // of the header list so far (RFC 9113 6.5.2)
	regular  bool     // a field that is not a pseudo-header has come
	inTail   bool     // the fields are trailers
	fieldErr error
	done     bool // the server has ended it
}

func newConn2(c *conn) *conn2 {
	h := &conn2{c: c, window: firstWindow, initial: firstWindow, maxFrame: maxFrame, stream2: stream2{id: ^uint32(0)}}
	h.dec = hpack.NewDecoder(4096, h.onField)
	h.dec.SetMaxStringLength(maxHead)
	return h
}

// exchange2 sends req on c and reads the response, in HTTP/2.
func (s *Session) exchange2(c *conn, req *Request, resp *Response) error {
	h := c.h2
	c.link.start(s.deadline, s.stop)
	s.watch(c.link)
	block := s.client.encode(req, form2, "").bytes
	r := &s.reader
	r.reset(req.Method == "HEAD", s.takeBody(req), int(s.client.opts.BodyLimit))
	r.lastLen = 0 // the fields take the place of those of a head in HTTP/1
	h.open(r, block, s.cookies(req), req.Body)
	for first := true; !h.done; first = false {
		if err := h.push(first); err != nil {
			return err
		}
		p, err := c.read(first)
		at := now() - s.begin
		if !s.sent && c.link.sentAt != 0 {
			s.sent, resp.Times.Sent = true, c.link.sentAt-s.begin
		}
		if err != nil {
			return err
		}
		h.out = h.out[:0]
		waiting := r.part == inHead
		err = h.feed(p)
		c.release()
		if err != nil {
			return err
		}
		if waiting && r.part != inHead {
			resp.Times.FirstByte = at
		}
		resp.Times.Done = at
	}
	return s.settle2(c, resp)
}

// settle2 hands out what was read, and says whether c can go on.
func (s *Session) settle2(c *conn, resp *Response) error {
	h, r := c.h2, &s.reader
	if r.length >= 0 && r.length != r.size && !r.isHEAD && r.status != 304 {
		return fail(Body, nil, "the body has %d bytes, but Content-Length says %d", r.size, r.length)
	}
	if len(h.body) > 0 {
		// The answer came before all was sent: the rest is of no use.
		h.body = nil
		h.out = appendFrame(h.out, frameRST, 0, h.id, 4)
		h.out = binary.BigEndian.AppendUint32(h.out, codeCancel)
	}
	if cap(h.out) > maxKeptHead && len(h.out) == 0 {
		h.out = nil
	}
	if cap(h.block) > maxKeptHead {
		h.block = nil
	}
	resp.Status, resp.Proto, resp.Header, resp.BodySize = r.status, "2", r.fields, r.size
	c.last = h.gone || h.id > maxWindow-2 || s.client.opts.NoKeepAlive
	return nil
}

// open begins a stream with the header block of a request.
func (h *conn2) open(r *reader1, block, cookies, body []byte) {
	if !h.begun {
		h.begun = true
		h.out = appendPreface(h.out)
	}
	h.stream2 = stream2{id: h.id + 2, r: r, window: h.initial, body: body}
	n := len(block) + cookieLen(cookies)
	flags := byte(0)
	if len(body) == 0 {
		flags = flagEndStream
	}
	first := min(n, h.maxFrame)
	if first == n {
		flags |= flagEndHeaders
	}
	h.out = appendFrame(h.out, frameHeaders, flags, h.id, first)
	at := len(h.out)
	h.out = append(h.out, block...)
	h.out = appendCookie(h.out, cookies)
	if first < n {
		h.continueBlock(at, first)
	}
}

// continueBlock cuts the header block that begins at out[at:] into frames; the
// first of them, of length first, has its head already.
func (h *conn2) continueBlock(at, first int) {
	rest := append([]byte(nil), h.out[at+first:]...)
	h.out = h.out[:at+first]
	for len(rest) > 0 {
		n := min(len(rest), h.maxFrame)
		flags := byte(0)
		if n == len(rest) {
			flags = flagEndHeaders
		}
		h.out = appendFrame(h.out, frameContinuation, flags, h.id, n)
		h.out = append(h.out, rest[:n]...)
		rest = rest[n:]
	}
}

// push hands over what is to be sent: the frames that wait, and as much of the
// body as the windows allow. All but the last piece is waited for.
func (h *conn2) push(first bool) error {
	for {
		for len(h.body) > 0 && len(h.out) < chunkSize {
			n := int(min(int64(len(h.body)), int64(h.maxFrame), h.window2()))
			if n <= 0 {
				break
			}
			flags := byte(0)
			if n == len(h.body) {
				flags = flagEndStream
			}
			h.out = appendFrame(h.out, frameData, flags, h.id, n)
			h.out = append(h.out, h.body[:n]...)
			h.body = h.body[n:]
			h.conn2Sent(n)
		}
		if len(h.out) == 0 {
			return nil
		}
		more := len(h.body) > 0 && h.window2() > 0
		if err := h.c.send(h.out, first && len(h.body) == 0); err != nil {
			return err
		}
		if !more {
			return nil
		}
		if err := h.c.link.flush(); err != nil {
			return err
		}
		h.out = h.out[:0]
	}
}

// window2 is how much of the body may be sent now.
func (h *conn2) window2() int64 { return min(h.window, h.stream2.window) }

func (h *conn2) conn2Sent(n int) {
	h.window -= int64(n)
	h.stream2.window -= int64(n)
}

// feed takes the bytes of a read, frame by frame. The payload of DATA is passed
// on as it comes, that of other frames is gathered.
func (h *conn2) feed(p []byte) error {
	for len(p) > 0 {
		if h.headLen < frameHead {
			n := copy(h.head[h.headLen:], p)
			h.headLen += n
			p = p[n:]
			if h.headLen < frameHead {
				return nil
			}
			if err := h.begin(); err != nil {
				return err
			}
		}
		n := min(h.left, len(p))
		piece := p[:n]
		p = p[n:]
		h.left -= n
		if h.kind() == frameData {
			if err := h.onData(piece); err != nil {
				return err
			}
		} else if h.left > 0 || len(h.buf) > 0 {
			h.buf = append(h.buf, piece...)
			piece = h.buf
		}
		if h.left == 0 {
			h.headLen = 0
			if err := h.end(piece); err != nil {
				return err
			}
			h.buf = h.buf[:0]
		}
	}
	return nil
}

func (h *conn2) kind() frameType { return frameType(h.head[3]) }
func (h *conn2) flags() byte     { return h.head[4] }
func (h *conn2) streamID() uint32 {
	return binary.BigEndian.Uint32(h.head[5:]) & maxWindow
}

// begin looks at the head of a frame.
func (h *conn2) begin() error {
	h.left = int(h.head[0])<<16 | int(h.head[1])<<8 | int(h.head[2])
	if !h.settled {
		if string(h.head[:5]) == "HTTP/" {
			return protocolf("%s answers in HTTP/1: set http.version to 1.1", h.c.addr)
		}
		if h.kind() != frameSettings {
			return protocolf("%s does not begin like HTTP/2", h.c.addr)
		}
	}
	if h.left > maxFrame {
		return protocolf("an HTTP/2 frame is larger than %d bytes", maxFrame)
	}
	if (h.blockID != 0) != (h.kind() == frameContinuation) || h.blockID != 0 && h.streamID() != h.blockID {
		return protocolf("an HTTP/2 header block is broken by another frame")
	}
	if h.kind() == frameData {
		return h.beginData()
	}
	return nil
}

// end acts on a complete frame.
func (h *conn2) end(p []byte) error {
	switch h.kind() {
	case frameData:
		return h.endData()
	case frameHeaders:
		return h.onHeaders(p)
	case frameContinuation:
		return h.onBlock(p, h.flags()&flagEndHeaders != 0)
	case frameRST:
		return h.onReset(p)
	case frameSettings:
		return h.onSettings(p)
	case framePing:
		if len(p) != 8 {
			return protocolf("an HTTP/2 PING has %d bytes", len(p))
		}
		if h.flags()&flagAck == 0 {
			h.out = append(appendFrame(h.out, framePing, flagAck, 0, 8), p...)
		}
	case frameGoAway:
		return h.onGoAway(p)
	case frameWindow:
		return h.onWindow(p)
	case framePush:
		return protocolf("the server pushes, though it was told not to")
	}
	return nil // frames of other types are to be ignored
}
