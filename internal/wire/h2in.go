package wire

import (
	"encoding/binary"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// beginData opens the windows again for what a DATA frame takes, padding
// included. What comes is passed on or dropped at once, so they are never
// what slows a server down.
func (h *conn2) beginData() error {
	n := int64(h.left)
	h.connTaken += n
	if h.connTaken > connWindow/2 {
		h.out = appendWindow(h.out, 0, h.connTaken)
		h.connTaken = 0
	}
	h.pad = 0
	if h.flags()&flagPadded != 0 {
		h.pad = -1
	}
	if h.streamID() != h.id || h.done {
		return h.checkStream()
	}
	if h.r.part == inHead {
		return protocolf("HTTP/2 data came before the header")
	}
	if h.taken += n; h.taken > streamWindow/2 && h.flags()&flagEndStream == 0 {
		h.out = appendWindow(h.out, h.id, h.taken)
		h.taken = 0
	}
	return nil
}

// checkStream says whether a frame for another stream than the one at hand may
// be: a leftover of one before it is dropped.
func (h *conn2) checkStream() error {
	if id := h.streamID(); id == 0 || id > h.id || id%2 == 0 {
		return protocolf("an HTTP/2 frame is for stream %d, which nobody opened", id)
	}
	return nil
}

// onData takes a piece of a DATA frame's payload; h.left is what follows it.
func (h *conn2) onData(p []byte) error {
	if h.pad < 0 && len(p) > 0 {
		h.pad = int(p[0])
		p = p[1:]
		if h.pad > h.left+len(p) {
			return protocolf("an HTTP/2 frame has more padding than payload")
		}
	}
	if over := h.pad - h.left; over > 0 {
		p = p[:max(0, len(p)-over)]
	}
	if h.streamID() != h.id || h.done {
		return nil
	}
	h.r.take(p)
	if h.r.length >= 0 && h.r.size > h.r.length && !h.r.isHEAD {
		return fail(Body, nil, "the body is longer than the %d bytes that Content-Length says", h.r.length)
	}
	return nil
}

func (h *conn2) endData() error {
	if h.pad < 0 {
		return protocolf("an HTTP/2 frame has more padding than payload")
	}
	if h.streamID() == h.id && h.flags()&flagEndStream != 0 {
		h.finish()
	}
	return nil
}

// finish marks the response as complete.
func (h *conn2) finish() {
	h.done = true
	h.r.part = atEnd
}

// onHeaders takes a HEADERS frame.
func (h *conn2) onHeaders(p []byte) error {
	pad := 0
	if h.flags()&flagPadded != 0 {
		if len(p) == 0 {
			return protocolf("an HTTP/2 frame has more padding than payload")
		}
		pad, p = int(p[0]), p[1:]
	}
	if h.flags()&flagPriority != 0 {
		if len(p) < 5 {
			return protocolf("an HTTP/2 HEADERS frame is cut short")
		}
		p = p[5:]
	}
	if pad > len(p) {
		return protocolf("an HTTP/2 frame has more padding than payload")
	}
	if err := h.checkStream(); err != nil {
		return err
	}
	h.blockID, h.blockEnds, h.pieces = h.streamID(), h.flags()&flagEndStream != 0, 0
	return h.onBlock(p[:len(p)-pad], h.flags()&flagEndHeaders != 0)
}

// onBlock takes a piece of a header block. The block is decoded whole, as a
// field may lie across two pieces.
func (h *conn2) onBlock(p []byte, last bool) error {
	h.pieces++
	if len(h.block)+len(p) > maxHead || h.pieces > maxFields {
		return protocolf("the header of the response is larger than %d KiB", maxHead>>10)
	}
	if !last || len(h.block) > 0 {
		h.block = append(h.block, p...)
		p = h.block
	}
	if !last {
		return nil
	}
	id := h.blockID
	h.blockID = 0
	h.beginFields(id)
	_, err := h.dec.Write(p)
	if err == nil {
		err = h.dec.Close()
	}
	h.block = h.block[:0]
	if err != nil {
		return protocolf("the HTTP/2 header cannot be decoded: %v", err)
	}
	if id != h.id || h.done {
		return nil
	}
	return h.endFields()
}

// beginFields readies the stream for a header list.
func (h *conn2) beginFields(id uint32) {
	h.listSize, h.regular, h.fieldErr = 0, false, nil
	h.inTail = id != h.id || h.done || h.r.part != inHead
	if !h.inTail {
		h.r.head = head{length: -1, fields: h.r.fields[:0]}
	}
}

// onField takes one field. Those of trailers only pass through the decoder,
// whose table they may change.
func (h *conn2) onField(f hpack.HeaderField) {
	if h.fieldErr != nil {
		return
	}
	if h.listSize += int(f.Size()); h.listSize > maxHead {
		h.fieldErr = protocolf("the header of the response is larger than %d KiB", maxHead>>10)
		return
	}
	if h.inTail {
		return
	}
	h.fieldErr = h.addField(f.Name, f.Value)
}

func (h *conn2) addField(name, value string) error {
	r := h.r
	if strings.HasPrefix(name, ":") {
		if name != ":status" || h.regular || r.status != 0 || len(value) != 3 {
			return protocolf("the response has an invalid HTTP/2 pseudo-header: %s", quote(name+" "+value))
		}
		for _, c := range []byte(value) {
			if c < '0' || c > '9' {
				return protocolf("the response has no three-digit status: %s", quote(value))
			}
			r.status = r.status*10 + int(c-'0')
		}
		return nil
	}
	h.regular = true
	for _, c := range []byte(name) {
		if !isToken[c] || 'A' <= c && c <= 'Z' {
			return protocolf("the response has an invalid header name: %s", quote(name))
		}
	}
	if name == "" || strings.ContainsAny(value, "\x00\r\n") {
		return protocolf("the response has an invalid header: %s", quote(name+": "+value))
	}
	if len(r.fields) == maxFields {
		return protocolf("the response has more than %d header fields", maxFields)
	}
	r.fields = append(r.fields, Field{name, value})
	if name == "content-length" {
		return r.setLength(value)
	}
	return nil
}

// endFields acts on a complete header list.
func (h *conn2) endFields() error {
	if h.fieldErr != nil {
		return h.fieldErr
	}
	if h.inTail {
		if !h.blockEnds {
			return protocolf("HTTP/2 trailers do not end the response")
		}
		h.finish()
		return nil
	}
	r := h.r
	switch {
	case r.status < 100:
		return protocolf("the response has no status")
	case r.status < 200:
		if h.blockEnds {
			return protocolf("the response ends with an interim (1xx) one")
		}
		return r.countInterim()
	}
	r.part = inClose
	if h.blockEnds {
		h.finish()
	}
	return nil
}

func (h *conn2) onReset(p []byte) error {
	if len(p) != 4 {
		return protocolf("an HTTP/2 RST_STREAM has %d bytes", len(p))
	}
	if h.streamID() != h.id || h.done {
		return h.checkStream()
	}
	code := binary.BigEndian.Uint32(p)
	if code == codeRefused {
		return fail(Reset, errUnprocessed, "%s refused the request (REFUSED_STREAM)", h.c.addr)
	}
	return fail(Reset, nil, "%s reset the request: %s", h.c.addr, codeName(code))
}

func (h *conn2) onGoAway(p []byte) error {
	if len(p) < 8 {
		return protocolf("an HTTP/2 GOAWAY has %d bytes", len(p))
	}
	h.gone = true
	last, code := binary.BigEndian.Uint32(p)&maxWindow, binary.BigEndian.Uint32(p[4:])
	if last < h.id && !h.done {
		return fail(Reset, errUnprocessed, "%s is closing the connection and did not take the request (GOAWAY, %s)", h.c.addr, codeName(code))
	}
	return nil
}

func (h *conn2) onSettings(p []byte) error {
	h.settled = true
	if h.flags()&flagAck != 0 {
		return nil
	}
	if len(p)%6 != 0 {
		return protocolf("an HTTP/2 SETTINGS has %d bytes", len(p))
	}
	for ; len(p) > 0; p = p[6:] {
		value := int64(binary.BigEndian.Uint32(p[2:]))
		switch binary.BigEndian.Uint16(p) {
		case settingWindow:
			if value > maxWindow {
				return protocolf("the server sets an HTTP/2 window of %d bytes, which is too large", value)
			}
			h.stream2.window += value - h.initial
			h.initial = value
		case settingMaxFrame:
			if value < maxFrame || value > 1<<24-1 {
				return protocolf("the server sets an HTTP/2 frame size of %d bytes, which is out of range", value)
			}
			h.maxFrame = int(min(value, chunkSize))
		}
	}
	h.out = appendFrame(h.out, frameSettings, flagAck, 0, 0)
	return nil
}

func (h *conn2) onWindow(p []byte) error {
	if len(p) != 4 {
		return protocolf("an HTTP/2 WINDOW_UPDATE has %d bytes", len(p))
	}
	n := int64(binary.BigEndian.Uint32(p)) & maxWindow
	window := &h.window
	switch h.streamID() {
	case 0:
	case h.id:
		window = &h.stream2.window
	default:
		return h.checkStream()
	}
	if *window += n; n == 0 || *window > maxWindow {
		return protocolf("the server grows an HTTP/2 window by %d bytes, which is out of range", n)
	}
	return nil
}
