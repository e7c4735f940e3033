package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A parsed is what a reader made of the bytes of a response and the end of the
// connection behind them.
type parsed struct {
	Err    bool
	Status int
	Header map[string][]string
	Body   string
	Close  bool
	Rest   string
}

// ours1 reads data in pieces of so many bytes with a new reader1.
func ours1(data []byte, piece int, isHEAD bool) (p parsed, err error) {
	return readWith(new(reader1), data, piece, isHEAD)
}

func readWith(r *reader1, data []byte, piece int, isHEAD bool) (p parsed, err error) {
	var body []byte
	r.reset(isHEAD, &body, 1<<20)
	rest := data
	for len(rest) > 0 && r.part != atEnd {
		n := min(piece, len(rest))
		left, err := r.feed(append([]byte(nil), rest[:n]...))
		if err != nil {
			return parsed{Err: true}, err
		}
		rest = rest[n-len(left):]
	}
	if !r.ended() {
		return parsed{Err: true}, io.ErrUnexpectedEOF
	}
	p = parsed{Status: r.status, Header: make(map[string][]string), Body: string(body), Close: r.close, Rest: string(rest)}
	for _, f := range r.fields {
		k := textproto.CanonicalMIMEHeaderKey(strings.Clone(f.Name))
		p.Header[k] = append(p.Header[k], strings.Clone(f.Value))
	}
	return p, nil
}

// theirs reads data with net/http, skipping interim responses as its transport
// does.
func theirs(data []byte, isHEAD bool) (parsed, error) {
	req := &http.Request{Method: "GET"}
	if isHEAD {
		req.Method = "HEAD"
	}
	in := bufio.NewReader(bytes.NewReader(data))
	resp, err := http.ReadResponse(in, req) //nolint:bodyclose // there is nothing behind it
	for n := 0; err == nil && resp.StatusCode/100 == 1 && resp.StatusCode != 101; n++ {
		if n == maxInterim {
			return parsed{Err: true}, errors.New("too many")
		}
		resp, err = http.ReadResponse(in, req) //nolint:bodyclose // there is nothing behind it
	}
	if err != nil {
		return parsed{Err: true}, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return parsed{Err: true}, err
	}
	rest, _ := io.ReadAll(in)
	return parsed{Status: resp.StatusCode, Header: resp.Header, Body: string(body), Close: resp.Close, Rest: string(rest)}, nil
}

// The responses of the tables below, and seeds of the fuzz test.
var good = map[string]string{
	"length":             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	"no reason":          "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
	"bare LF":            "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
	"folded":             "HTTP/1.1 200 OK\r\nX: a\r\n  b\r\n\tc\r\nContent-Length: 0\r\n\r\n",
	"folded, LF":         "HTTP/1.1 200 OK\nX: a\n b\nContent-Length: 0\n\n",
	"blank in name":      "HTTP/1.1 200 OK\r\nX Y: a\r\nContent-Length: 0\r\n\r\n",
	"close":              "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
	"close among others": "HTTP/1.1 200 OK\r\nConnection: x , CLOSE\r\nContent-Length: 2\r\n\r\nhi",
	"until close":        "HTTP/1.1 200 OK\r\n\r\nall of this",
	"1.0":                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	"1.0 keep-alive":     "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi",
	"1.0 chunked":        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
	"chunked":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
	"chunk extensions":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=\"b c\";d\r\nhello\r\n0;last\r\n\r\n",
	"blank after size":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \t\r\nhello\r\n0\r\n\r\n",
	"trailers":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n5\r\nhello\r\n0\r\nSum: 1\r\nB: 2\r\n\r\n",
	"leading zeros":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n005\r\nhello\r\n000\r\n\r\n",
	"equal lengths":      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
	"204":                "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
	"304":                "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\n",
	"interim":            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
	"behind the end":     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 500 X\r\n\r\n",
	"colon in value":     "HTTP/1.1 302 Found\r\nLocation: http://a:1/b\r\nContent-Length: 0\r\n\r\n",
	"empty value":        "HTTP/1.1 200 OK\r\nX:\r\nY:   \r\nContent-Length: 0\r\n\r\n",
	"8 bit":              "HTTP/1.1 200 OK\r\nX: \xe4\xf6\r\nContent-Length: 0\r\n\r\n",
}

func TestReaderAgreesWithNetHTTP(t *testing.T) {
	t.Parallel()
	for name, data := range good {
		for _, isHEAD := range []bool{false, true} {
			want, err := theirs([]byte(data), isHEAD)
			if err != nil {
				t.Fatalf("%s: net/http: %v", name, err)
			}
			for _, piece := range []int{1, 2, 3, 7, 1000} {
				got, err := ours1([]byte(data), piece, isHEAD)
				if err != nil {
					t.Errorf("%s, HEAD %v, pieces of %d: %v", name, isHEAD, piece, err)
					continue
				}
				if diff := compare(got, want); diff != "" {
					t.Errorf("%s, HEAD %v, pieces of %d (-net/http +ours):\n%s", name, isHEAD, piece, diff)
				}
			}
		}
	}
}

// TestReaderKnowsTheHeadBefore: what a reader has read before changes nothing of
// what it reads next, whether the head is the same or another, whole or cut, and
// to whatever method it answers.
func TestReaderKnowsTheHeadBefore(t *testing.T) {
	t.Parallel()
	for before, first := range good {
		var r reader1
		for name, second := range good {
			for _, data := range []string{first, first, second, second, first} {
				for _, piece := range []int{1000, 7} {
					for _, isHEAD := range []bool{false, true} {
						want, wantErr := ours1([]byte(data), 1000, isHEAD)
						got, err := readWith(&r, []byte(data), piece, isHEAD)
						if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
							t.Fatalf("%q and %q, pieces of %d (-alone +behind the other): %v\n%s", before, name, piece, err, diff)
						}
					}
				}
			}
		}
	}
}

// TestReaderForgetsAnUnfoldedHead: lines that are joined in place leave bytes
// that never came; a head that looks like them is parsed.
func TestReaderForgetsAnUnfoldedHead(t *testing.T) {
	t.Parallel()
	var r reader1
	folded := []byte("HTTP/1.1 200 OK\r\nA: b\r\n    c\r\nContent-Length: 0\r\n\r\n")
	if _, err := readWith(&r, folded, 1000, false); err != nil {
		t.Fatal(err)
	}
	left := bytes.Clone(r.buf)
	if bytes.Equal(left, folded) {
		t.Fatal("nothing was joined: the test shows nothing")
	}
	want, wantErr := ours1(left, 1000, false)
	got, err := readWith(&r, left, 1000, false)
	if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
		t.Errorf("%q: %v, alone %v\n%s", left, err, wantErr, diff)
	}
}

// compare compares where the two are meant to agree. net/http takes the framing
// out of the header, and joins trailers to the rest of a response that has no
// body.
func compare(got, want parsed) string {
	for _, k := range []string{"Transfer-Encoding", "Content-Length", "Trailer", "Connection", "Cache-Control"} {
		delete(got.Header, k)
		delete(want.Header, k)
	}
	if len(got.Header) == 0 && len(want.Header) == 0 {
		got.Header, want.Header = nil, nil
	}
	// Ours says close as well where the end of the connection ends the body,
	// and where a length beside chunks makes the connection suspect.
	if got.Close && !want.Close {
		want.Close = true
	}
	return cmp.Diff(want, got)
}

func TestReaderRefuses(t *testing.T) {
	t.Parallel()
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	many := strings.Repeat("X: y\r\n", maxFields+1)
	for _, tt := range []struct{ name, data, want string }{
		{"other protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "does not start like HTTP/1"},
		{"other protocol, at once", "SSH-2.0-OpenSSH_9.6", "does not start like HTTP/1"},
		{"version 2", "HTTP/2.0 200 OK\r\n\r\n", "does not start like HTTP/1"},
		{"version 1.2", "HTTP/1.2 200 OK\r\n\r\n", "unknown version"},
		{"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "no three-digit status"},
		{"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "no three-digit status"},
		{"status of letters", "HTTP/1.1 abc OK\r\n\r\n", "no three-digit status"},
		{"status 042", "HTTP/1.1 042 OK\r\n\r\n", "status 042"},
		{"no colon", "HTTP/1.1 200 OK\r\nhello\r\n\r\n", "a header line that is none"},
		{"empty name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "a header line that is none"},
		{"blank before colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", "invalid header name"},
		{"starts folded", "HTTP/1.1 200 OK\r\n X: y\r\n\r\n", "invalid header name"},
		{"control character", "HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n", "control character"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "two different Content-Lengths: 5 and 6"},
		{"list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", "invalid Content-Length"},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "invalid Content-Length"},
		{"signed length", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", "invalid Content-Length"},
		{"huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "invalid Content-Length"},
		{"empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "empty Content-Length"},
		{"encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "transfer encoding other than chunked"},
		{"two encodings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "transfer encoding other than chunked"},
		{"header without end", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: yyyyyyyyyyyyyyyyyyyyyy\r\n", 10000), "larger than 128 KiB"},
		{"line without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 200<<10), "larger than 128 KiB"},
		{"many fields", "HTTP/1.1 200 OK\r\n" + many + "\r\n", "more than 1000 header fields"},
		{"interim without end", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 40), "more than 32 interim"},
		{"chunk size", chunked + "zz\r\n", "a chunk has no size"},
		{"empty chunk size", chunked + "\r\n", "a chunk has no size"},
		{"signed chunk size", chunked + "-5\r\n", "a chunk has no size"},
		{"chunk size with prefix", chunked + "0x5\r\nhello\r\n0\r\n\r\n", "framed wrongly"},
		{"huge chunk size", chunked + "fffffffffffffffff\r\n", "too large"},
		{"chunk size with bare LF", chunked + "5\nhello\r\n0\r\n\r\n", "framed wrongly"},
		{"chunk extension with bare LF", chunked + "5;x\nhello\r\n0\r\n\r\n", "framed wrongly"},
		{"chunk too long", chunked + "5\r\nhello!\r\n0\r\n\r\n", "framed wrongly"},
		{"chunk end", chunked + "5\r\nhello\n0\r\n\r\n", "framed wrongly"},
		{"long extension", chunked + "5;" + strings.Repeat("x", 5000) + "\r\nhello\r\n", "longer than 4096"},
		{"framing alone", chunked + strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 100), "framing rather than data"},
		{"endless trailers", chunked + "0\r\n" + strings.Repeat("X: yyyyyyyyyyyyyyyyyyyy\r\n", 10000), "trailers of the response are larger"},
	} {
		for _, piece := range []int{1, 100, 1 << 20} {
			_, err := ours1([]byte(tt.data), piece, false)
			if err == nil || !strings.Contains(err.Error(), tt.want) || kindOf(err) != Protocol {
				t.Errorf("%s, pieces of %d: got %v, want protocol: ...%s...", tt.name, piece, err, tt.want)
			}
		}
	}
}

// A response that ends early is never taken for a complete one, wherever it is
// cut.
func TestReaderCutShort(t *testing.T) {
	t.Parallel()
	for name, data := range good {
		if name == "until close" || name == "1.0 chunked" || name == "behind the end" {
			continue
		}
		for n := range len(data) {
			if p, err := ours1([]byte(data[:n]), 1000, false); err == nil && p.Status >= 200 {
				t.Errorf("%s: the first %d of %d bytes passed for a response: %+v", name, n, len(data), p)
			}
		}
	}
}

// Length and chunks in one response may be an attempt to make two readers
// disagree: the chunks count, and the connection is not used again.
func TestReaderLengthAndChunks(t *testing.T) {
	t.Parallel()
	p, err := ours1([]byte("HTTP/1.1 200 OK\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"), 1000, false)
	if err != nil || p.Body != "hi" || !p.Close {
		t.Errorf("got %+v, %v; want body hi, and close", p, err)
	}
}

func TestReaderKeepsUpToItsLimit(t *testing.T) {
	t.Parallel()
	var r reader1
	var kept []byte
	r.reset(false, &kept, 4)
	if _, err := r.feed([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if string(kept) != "abcd" || r.size != 6 || r.part != atEnd {
		t.Errorf("kept %q of %d bytes, want abcd of 6", kept, r.size)
	}
}

// FuzzReader feeds arbitrary bytes to both readers. Ours may be stricter; what
// it takes, net/http takes too and reads the same, in one piece or byte by byte.
func FuzzReader(f *testing.F) {
	for _, data := range good {
		f.Add([]byte(data), 3, false)
	}
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"), 1, false)
	f.Fuzz(func(t *testing.T, data []byte, piece int, isHEAD bool) {
		piece = 1 + abs(piece)%(len(data)+1)
		got, err := ours1(data, piece, isHEAD)
		whole, wholeErr := ours1(data, len(data)+1, isHEAD)
		if (err == nil) != (wholeErr == nil) || cmp.Diff(whole, got) != "" {
			t.Fatalf("pieces of %d: %+v, %v; whole: %+v, %v", piece, got, err, whole, wholeErr)
		}
		var r reader1
		for range 2 { // the second time the head may be known
			if again, againErr := readWith(&r, data, len(data)+1, isHEAD); (againErr == nil) != (wholeErr == nil) || cmp.Diff(whole, again) != "" {
				t.Fatalf("again: %+v, %v; at first: %+v, %v", again, againErr, whole, wholeErr)
			}
		}
		if err != nil {
			return
		}
		want, err := theirs(data, isHEAD)
		if err != nil {
			if known(data, err) {
				return
			}
			t.Fatalf("%q: ours is %+v, net/http: %v", data, got, err)
		}
		if diff := compare(got, want); diff != "" {
			t.Fatalf("%q (-net/http +ours):\n%s", data, diff)
		}
	})
}

// known are the places where net/http is stricter on purpose: it reads what we
// drop.
func known(data []byte, err error) bool {
	if bytes.Contains(bytes.ToLower(data), []byte("chunked")) {
		// The names in Trailer, and the fields of trailers.
		for _, s := range []string{"bad trailer key", "malformed MIME header", "http: suspiciously long trailer", "unexpected EOF", "message too large"} {
			if strings.Contains(err.Error(), s) {
				return true
			}
		}
	}
	return false
}

func abs(n int) int { return max(n, -(n + 1)) }

func TestHeadEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want int
	}{
		{"", 0},
		{"a\r\n", 0},
		{"a\r\n\r", 0},
		{"a\r\n\r\n", 5},
		{"a\n\n", 3},
		{"a\n\r\n", 4},
		{"a\r\n\n", 4},
		{"a\r\n\r\nb", 5},
		{"a\nb\n\nc", 5},
	} {
		for from := range len(tt.in) + 1 {
			if end := headEnd([]byte(tt.in[:from]), 0); end != 0 && end <= from {
				continue // found before: nobody looks on
			}
			if got := headEnd([]byte(tt.in), from); got != tt.want {
				t.Errorf("headEnd(%q, %d) = %d, want %d", tt.in, from, got, tt.want)
			}
		}
	}
}

func BenchmarkReader(b *testing.B) {
	for _, name := range []string{"length", "chunked"} {
		b.Run(name, func(b *testing.B) {
			data := []byte(good[name])
			var r reader1
			for b.Loop() {
				r.reset(false, nil, 0)
				if _, err := r.feed(data); err != nil || r.part != atEnd {
					b.Fatal(err)
				}
			}
		})
	}
}
