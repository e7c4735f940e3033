package wire

import "bytes"

// Limits of chunked encoding, as in net/http: a line is short, and a body must
// not consist of framing alone.
const (
	maxChunkLine = 4096
	maxOverhead  = 16 << 10 // framing beyond 16 bytes a chunk and twice the data
)

// The parts of an HTTP/1 response that a reader1 can be in.
type part uint8

const (
	inHead      part = iota
	inLength         // left bytes of body to come
	inClose          // body until the connection ends
	inSize           // the hexadecimal size of a chunk
	inBlank          // blanks after the size
	inExtension      // a chunk extension, which is dropped
	inSizeLF         // the LF that ends the line
	inChunk          // left bytes of a chunk to come
	inCR             // the CR after a chunk
	inLF             // the LF after it
	inTrailer        // fields after the last chunk, and the empty line
	atEnd            // complete
)

// A reader1 reads one HTTP/1 response from the pieces that it is fed.
type reader1 struct {
	head
	part     part
	isHEAD   bool // the request was HEAD: no body comes
	left     int64
	line     int    // length so far of a line of framing
	excess   int64  // framing beyond what the data justifies
	trailers int    // bytes of trailers so far
	interim  int    // 1xx responses so far
	size     int64  // bytes of body so far, framing left out
	buf      []byte // the head, which fields point into

	// The head before, as it was parsed, stays in buf until another comes: mostly
	// the next one is the same to the byte (a Date changes once a second), and
	// comparing costs a twentieth of parsing.
	last    head
	lastLen int // its length; 0: none

	limit int     // how many bytes of body go to kept
	kept  *[]byte // nil: the body is only counted
}

// What a reader keeps of its buffers between responses: a rare, large head
// should not stay with every user.
const (
	maxKeptHead   = 8 << 10
	maxKeptFields = 64
)

// reset readies r for the response to a request, and has up to limit bytes of
// its body appended to kept.
func (r *reader1) reset(isHEAD bool, kept *[]byte, limit int) {
	if cap(r.buf) > maxKeptHead || cap(r.fields) > maxKeptFields {
		*r = reader1{}
	}
	// Field by field: the whole of it is as much as a small head.
	r.head = head{fields: r.fields[:0]}
	r.buf = r.buf[:0]
	r.part, r.isHEAD, r.kept, r.limit = inHead, isHEAD, kept, limit
	r.left, r.line, r.excess, r.trailers, r.interim, r.size = 0, 0, 0, 0, 0, 0
}

// fresh says that nothing of the final response has come yet.
func (r *reader1) fresh() bool { return r.part == inHead && len(r.buf) == 0 }

// feed takes p and returns what of it comes after the response's end. r.part is
// atEnd when the response is complete.
func (r *reader1) feed(p []byte) (rest []byte, err error) {
	for len(p) > 0 && r.part != atEnd && err == nil {
		switch r.part {
		case inHead:
			p, err = r.readHead(p)
		case inLength, inClose, inChunk:
			p = r.readData(p)
		case inTrailer:
			p, err = r.readTrailers(p)
		default:
			err = r.readFraming(p[0])
			p = p[1:]
		}
	}
	return p, err
}

// ended tells r that the connection ended, and says whether that is how the
// response was to end.
func (r *reader1) ended() bool {
	if r.part == inClose {
		r.part = atEnd
	}
	return r.part == atEnd
}

// readHead gathers the head, as its fields must outlive p, and parses it.
func (r *reader1) readHead(p []byte) ([]byte, error) {
	had, end := len(r.buf), 0
	piece := p
	if had == 0 {
		if n := r.lastLen; n > 0 && len(p) >= n && bytes.Equal(p[:n], r.buf[:n]) {
			r.head, r.buf = r.last, r.buf[:n]
			return p[n:], r.begin()
		}
		r.lastLen = 0
		// Mostly p is a whole response: copy only the head of it.
		if end = headEnd(p, 0); end > 0 {
			piece = p[:end]
		}
	}
	r.buf = append(r.buf, piece[:min(len(piece), maxHead-had)]...)
	if had > 0 {
		end = headEnd(r.buf, had)
	}
	if end > maxHead {
		end = 0 // it ends in p, but beyond what is allowed
	}
	if end == 0 {
		if n := min(len(r.buf), len("HTTP/1.")); text(r.buf[:n]) != "HTTP/1."[:n] {
			return nil, protocolf("the response does not start like HTTP/1: %s", quote(text(r.buf)))
		}
		if len(r.buf) >= maxHead {
			return nil, protocolf("the header of the response is larger than %d KiB", maxHead>>10)
		}
		return nil, nil
	}
	r.buf = r.buf[:end]
	if err := r.parse(r.buf); err != nil {
		return nil, err
	}
	if !r.unfolded {
		r.last, r.lastLen = r.head, end
	}
	return p[end-had:], r.begin()
}

// begin decides how the body ends (RFC 9112 6.3).
func (r *reader1) begin() error {
	switch {
	case r.status == 101: // nobody asked for another protocol
		r.part, r.close = atEnd, true
	case r.status < 200:
		r.buf = r.buf[:0]
		return r.countInterim()
	case r.isHEAD || r.status == 204 || r.status == 304 || r.length == 0:
		r.part = atEnd
	case r.chunked:
		r.beginChunk()
	case r.length > 0:
		r.part, r.left = inLength, r.length
	default:
		r.part, r.close = inClose, true
	}
	return nil
}

func (r *reader1) countInterim() error {
	if r.interim++; r.interim > maxInterim {
		return protocolf("more than %d interim (1xx) responses came before the final one", maxInterim)
	}
	return nil
}

// readData takes what of p belongs to the body.
func (r *reader1) readData(p []byte) []byte {
	n := len(p)
	if r.part != inClose {
		n = int(min(int64(n), r.left))
		r.left -= int64(n)
	}
	r.take(p[:n])
	if r.left == 0 {
		switch r.part {
		case inLength:
			r.part = atEnd
		case inChunk:
			r.part = inCR
		default:
		}
	}
	return p[n:]
}

// take counts a piece of the body, and keeps what is wanted of it.
func (r *reader1) take(p []byte) {
	r.size += int64(len(p))
	if r.kept == nil {
		return
	}
	if room := r.limit - len(*r.kept); room > 0 {
		*r.kept = append(*r.kept, p[:min(len(p), room)]...)
	}
}

func (r *reader1) beginChunk() { r.part, r.line, r.left = inSize, 0, 0 }

// readFraming takes one byte of a line that frames a chunk. It is as strict as
// net/http: what one reader forgives here, another reads as something else.
func (r *reader1) readFraming(c byte) error {
	if r.line++; r.line > maxChunkLine {
		return protocolf("the line before a chunk is longer than %d bytes", maxChunkLine)
	}
	switch {
	case r.part == inCR && c == '\r':
		r.part = inLF
	case r.part == inLF && c == '\n':
		r.beginChunk()
	case r.part == inSizeLF && c == '\n':
		return r.endSize()
	case r.part == inSize && unhex(c) >= 0:
		if r.line > 15 {
			return protocolf("the size of a chunk is too large")
		}
		r.left = r.left<<4 | int64(unhex(c))
	case r.part == inSize && r.line == 1:
		return protocolf("a chunk has no size but %s", quote(string(c)))
	case c == '\r' && (r.part == inSize || r.part == inBlank || r.part == inExtension):
		r.part = inSizeLF
	case c == ';' && r.part == inSize:
		r.part = inExtension
	case (c == ' ' || c == '\t') && (r.part == inSize || r.part == inBlank):
		r.part = inBlank
	case r.part == inExtension && c != '\n':
	default:
		return protocolf("a chunk is framed wrongly at %s", quote(string(c)))
	}
	return nil
}

// endSize acts on a complete size line.
func (r *reader1) endSize() error {
	r.excess = max(0, r.excess+int64(r.line)+2-16-2*r.left)
	if r.excess > maxOverhead {
		return protocolf("the chunked body consists of framing rather than data")
	}
	r.line = 0
	if r.part = inChunk; r.left == 0 {
		r.part = inTrailer
	}
	return nil
}

// readTrailers drops the lines up to the empty one.
func (r *reader1) readTrailers(p []byte) ([]byte, error) {
	for i, c := range p {
		switch c {
		case '\n':
			if r.line == 0 {
				r.part = atEnd
				return p[i+1:], nil
			}
			r.line = 0
		case '\r':
		default:
			r.line++
		}
		if r.trailers++; r.trailers > maxHead {
			return nil, protocolf("the trailers of the response are larger than %d KiB", maxHead>>10)
		}
	}
	return nil, nil
}

// unhex is the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
