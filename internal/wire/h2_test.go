package wire

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// server2 starts a server that speaks HTTP/2, by prior knowledge or over TLS.
func server2(t testing.TB, plain bool, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = quiet
	if plain {
		srv.Config.Protocols = new(http.Protocols)
		srv.Config.Protocols.SetUnencryptedHTTP2(true)
		srv.Start()
	} else {
		srv.EnableHTTP2 = true
		srv.StartTLS()
	}
	t.Cleanup(srv.Close)
	return srv
}

func two(plain bool) Options {
	o := Options{TLS: TLSOptions{Insecure: true}, BodyLimit: 64 << 20, UserAgent: "loadline/1"}
	if plain {
		o.Version = "h2c"
	}
	return o
}

func TestTwo(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{true, false} {
		srv := server2(t, plain, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			w.Header().Set("Trailer", "Sum")
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = fmt.Fprintf(w, "%s %s %s %s %d %q %q %q", r.Proto, r.Method, r.Host, r.URL, len(b), r.UserAgent(), r.Header["X"], r.Header["Connection"])
			w.Header().Set("Sum", "1")
		})
		s := newSession(t, two(plain))
		req := to(srv.URL + "/a?b=c")
		req.Header = []Field{{"X", "y"}, {"Connection", "close"}, {"TE", "gzip"}}
		for i := range 3 {
			resp := do(t, s, req)
			want := "HTTP/2.0 GET " + req.Host + ` /a?b=c 0 "loadline/1" ["y"] []`
			if string(resp.Body) != want || resp.Proto != "2" || resp.Status != 200 || resp.Reused != (i > 0) {
				t.Errorf("plain %v: got %d over %s, reused %v: %s\nwant %s", plain, resp.Status, resp.Proto, resp.Reused, resp.Body, want)
			}
			if resp.BodySize != int64(len(want)) || Get(resp.Header, "Content-Type") == "" {
				t.Errorf("plain %v: %d bytes of body, want %d; header %v", plain, resp.BodySize, len(want), resp.Header)
			}
			at := resp.Times
			if at.Sent <= 0 || at.FirstByte <= at.Sent || at.Done < at.FirstByte || (at.TLS > 0) != (!plain && i == 0) {
				t.Errorf("plain %v, request %d: %+v", plain, i, at)
			}
		}
		for _, n := range []int{0, 1, maxFrame, maxFrame + 1, firstWindow, firstWindow + 1, 5 << 20} {
			req.Method, req.Body = "PUT", make([]byte, n)
			req.Changed()
			if resp := do(t, s, req); !strings.Contains(string(resp.Body), fmt.Sprintf("/a?b=c %d ", n)) || !resp.Reused {
				t.Errorf("plain %v: a body of %d: got %s, reused %v", plain, n, resp.Body, resp.Reused)
			}
		}
		req.Method, req.Body = "HEAD", nil
		req.Changed()
		if resp := do(t, s, req); resp.Status != 200 || resp.BodySize != 0 {
			t.Errorf("plain %v: HEAD: %d with %d bytes", plain, resp.Status, resp.BodySize)
		}
	}
}

// Bodies and headers that need many frames, windows opened again and again.
func TestTwoLarge(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("0123456789abcdef", 3<<16)
	srv := server2(t, true, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			_, _ = io.Copy(w, r.Body)
			return
		}
		w.Header().Set("Long", strings.Repeat("x", 100<<10))
		w.Header().Set("Seen", fmt.Sprint(len(r.Header.Get("Long"))))
		for range 4 {
			_, _ = io.WriteString(w, big)
		}
	})
	s := newSession(t, two(true))
	req := to(srv.URL + "/")
	req.Header = []Field{{"Long", strings.Repeat("é", 20<<10)}}
	for range 2 {
		resp := do(t, s, req)
		if string(resp.Body) != big+big+big+big || len(Get(resp.Header, "long")) != 100<<10 || Get(resp.Header, "seen") != fmt.Sprint(40<<10) {
			t.Errorf("got %d bytes, a field of %d, the server one of %s", len(resp.Body), len(Get(resp.Header, "long")), Get(resp.Header, "seen"))
		}
	}
	post := to(srv.URL + "/")
	post.Method, post.Body = "POST", []byte(big+big)
	if resp := do(t, s, post); string(resp.Body) != big+big || !resp.Reused {
		t.Errorf("an echo of %d bytes has %d, reused %v", len(post.Body), len(resp.Body), resp.Reused)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	one := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	one.Config.ErrorLog = quiet
	one.StartTLS()
	t.Cleanup(one.Close)
	both := server2(t, false, echo)
	plainOne := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(plainOne.Close)
	plainTwo := server2(t, true, echo)
	for _, tt := range []struct {
		version, url, proto string
		kind                Kind
		want                string
	}{
		{"auto", one.URL, "1.1", None, ""},
		{"auto", both.URL, "2", None, ""},
		{"1.1", both.URL, "1.1", None, ""},
		{"2", both.URL, "2", None, ""},
		{"2", one.URL, "", Protocol, "does not speak HTTP/2, which http.version asks for"},
		{"h2c", plainTwo.URL, "2", None, ""},
		{"2", plainTwo.URL, "2", None, ""},
		{"auto", plainOne.URL, "1.1", None, ""},
		{"h2c", plainOne.URL, "", Protocol, "answers in HTTP/1: set http.version to 1.1"},
	} {
		s := newSession(t, Options{Version: tt.version, TLS: TLSOptions{Insecure: true}})
		var resp Response
		s.Do(t.Context(), to(tt.url+"/"), &resp)
		if resp.Kind != tt.kind || resp.Proto != tt.proto || resp.Err != nil && !strings.Contains(resp.Err.Error(), tt.want) {
			t.Errorf("%s at %s: got HTTP/%s, %q: %v; want HTTP/%s, %q: %s", tt.version, tt.url, resp.Proto, resp.Kind, resp.Err, tt.proto, tt.kind, tt.want)
		}
	}
}

// A frames is the server's side of an HTTP/2 connection whose every frame a
// test decides.
type frames struct {
	*rawConn
	*http2.Framer
	enc    *hpack.Encoder
	header bytes.Buffer
}

// serveFrames runs handle for each connection, after the prefaces.
func serveFrames(t testing.TB, handle func(n int, f *frames)) *rawServer {
	return serve(t, func(n int, c *rawConn) {
		if _, err := c.in.Discard(len(preface2)); err != nil {
			return
		}
		f := &frames{rawConn: c, Framer: http2.NewFramer(c.Conn, c.in)}
		f.enc = hpack.NewEncoder(&f.header)
		_ = f.WriteSettings()
		handle(n, f)
	})
}

// take returns the stream of the next request, 0 when the client is gone.
func (f *frames) take() uint32 {
	for {
		fr, err := f.ReadFrame()
		if err != nil {
			return 0
		}
		if fr.Header().Type == http2.FrameHeaders {
			return fr.Header().StreamID
		}
	}
}

// head answers with fields, given as name, value, name, ...
func (f *frames) head(stream uint32, end bool, fields ...string) {
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.pack(fields...), EndHeaders: true, EndStream: end})
}

func (f *frames) pack(fields ...string) []byte {
	f.header.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = f.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return f.header.Bytes()
}

func TestTwoFrames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer func(f *frames, id uint32)
		status int // 0: it fails
		body   string
		kind   Kind
		want   string
	}{
		{name: "padding and priority", status: 200, body: "hello", answer: func(f *frames, id uint32) {
			_ = f.WriteHeaders(http2.HeadersFrameParam{
				StreamID: id, BlockFragment: f.pack(":status", "200"), EndHeaders: true, PadLength: 9, Priority: http2.PriorityParam{Weight: 3},
			})
			_ = f.WriteDataPadded(id, false, []byte("hel"), make([]byte, 200))
			_ = f.WriteDataPadded(id, false, nil, make([]byte, 9))
			_ = f.WriteDataPadded(id, true, []byte("lo"), make([]byte, 0))
		}},
		{name: "CONTINUATION", status: 404, answer: func(f *frames, id uint32) {
			b := f.pack(":status", "404", "x", "y", "z", strings.Repeat("z", 100))
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b[:1], EndStream: true})
			for i := 1; i < len(b)-1; i++ {
				_ = f.WriteContinuation(id, false, b[i:i+1])
			}
			_ = f.WriteContinuation(id, true, b[len(b)-1:])
		}},
		{name: "interim and trailers", status: 200, body: "hi", answer: func(f *frames, id uint32) {
			f.head(id, false, ":status", "103", "link", "x")
			f.head(id, false, ":status", "200")
			_ = f.WriteData(id, false, []byte("hi"))
			f.head(id, true, "sum", "1")
		}},
		{name: "other frames in between", status: 200, body: "hi", answer: func(f *frames, id uint32) {
			_ = f.WriteRawFrame(0xbe, 0, id, []byte("a type of the future"))
			_ = f.WritePing(false, [8]byte{1})
			f.head(id, false, ":status", "200", "content-length", "2")
			_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
			_ = f.WritePriority(id, http2.PriorityParam{})
			_ = f.WriteWindowUpdate(0, 100)
			_ = f.WriteData(id, true, []byte("hi"))
		}},
		{name: "GOAWAY after it", status: 200, answer: func(f *frames, id uint32) {
			_ = f.WriteGoAway(id, http2.ErrCodeNo, nil)
			f.head(id, true, ":status", "200")
		}},
		{name: "reset", kind: Reset, want: "reset the request: INTERNAL_ERROR", answer: func(f *frames, id uint32) {
			_ = f.WriteRSTStream(id, http2.ErrCodeInternal)
		}},
		{name: "refused", kind: Reset, want: "REFUSED_STREAM", answer: func(f *frames, id uint32) {
			_ = f.WriteRSTStream(id, http2.ErrCodeRefusedStream)
		}},
		{name: "GOAWAY before it", kind: Reset, want: "did not take the request (GOAWAY, ENHANCE_YOUR_CALM)", answer: func(f *frames, id uint32) {
			_ = f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("too many"))
		}},
		{name: "cut in the body", kind: Body, want: "before the body was complete (2 bytes of body had come)", answer: func(f *frames, id uint32) {
			f.head(id, false, ":status", "200")
			_ = f.WriteData(id, false, []byte("hi"))
			// Not Close: with something of the client's unread that would be a reset.
			_ = f.Conn.(*net.TCPConn).CloseWrite()
		}},
		{name: "body too short", kind: Body, want: "the body has 2 bytes, but Content-Length says 3", answer: func(f *frames, id uint32) {
			f.head(id, false, ":status", "200", "content-length", "3")
			_ = f.WriteData(id, true, []byte("hi"))
		}},
		{name: "body too long", kind: Body, want: "longer than the 1 bytes", answer: func(f *frames, id uint32) {
			f.head(id, false, ":status", "200", "content-length", "1")
			_ = f.WriteData(id, false, []byte("hi"))
		}},
		{name: "push", kind: Protocol, want: "pushes", answer: func(f *frames, id uint32) {
			_ = f.WritePushPromise(http2.PushPromiseParam{StreamID: id, PromiseID: 2, BlockFragment: f.pack(":status", "200"), EndHeaders: true})
		}},
		{name: "no status", kind: Protocol, want: "no status", answer: func(f *frames, id uint32) { f.head(id, true, "x", "y") }},
		{name: "status of four digits", kind: Protocol, want: "pseudo-header", answer: func(f *frames, id uint32) { f.head(id, true, ":status", "2000") }},
		{name: "status of letters", kind: Protocol, want: "three-digit", answer: func(f *frames, id uint32) { f.head(id, true, ":status", "abc") }},
		{name: "status twice", kind: Protocol, want: "pseudo-header", answer: func(f *frames, id uint32) {
			f.head(id, true, ":status", "200", ":status", "200")
		}},
		{name: "status last", kind: Protocol, want: "pseudo-header", answer: func(f *frames, id uint32) {
			f.head(id, true, "x", "y", ":status", "200")
		}},
		{name: "upper case", kind: Protocol, want: "invalid header name", answer: func(f *frames, id uint32) { f.head(id, true, ":status", "200", "X", "y") }},
		{name: "line break", kind: Protocol, want: "invalid header", answer: func(f *frames, id uint32) {
			f.head(id, true, ":status", "200", "x", "y\r\nz: 1")
		}},
		{name: "two lengths", kind: Protocol, want: "two different Content-Lengths", answer: func(f *frames, id uint32) {
			f.head(id, true, ":status", "200", "content-length", "1", "content-length", "2")
		}},
		{name: "interim ends it", kind: Protocol, want: "interim", answer: func(f *frames, id uint32) { f.head(id, true, ":status", "103") }},
		{name: "interim without end", kind: Protocol, want: "more than 32 interim", answer: func(f *frames, id uint32) {
			for range 40 {
				f.head(id, false, ":status", "103")
			}
		}},
		{name: "trailers that do not end it", kind: Protocol, want: "trailers do not end", answer: func(f *frames, id uint32) {
			f.head(id, false, ":status", "200")
			f.head(id, false, "sum", "1")
		}},
		{name: "data before the header", kind: Protocol, want: "before the header", answer: func(f *frames, id uint32) { _ = f.WriteData(id, true, nil) }},
		{name: "data for nobody", kind: Protocol, want: "stream 77", answer: func(f *frames, id uint32) { _ = f.WriteData(77, true, nil) }},
		{name: "more padding than payload", kind: Protocol, want: "more padding", answer: func(f *frames, id uint32) {
			f.head(id, false, ":status", "200")
			_ = f.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, id, []byte{9, 1, 2})
		}},
		{name: "padding without length", kind: Protocol, want: "more padding", answer: func(f *frames, id uint32) {
			f.head(id, false, ":status", "200")
			_ = f.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, id, nil)
		}},
		{name: "HEADERS with too much padding", kind: Protocol, want: "more padding", answer: func(f *frames, id uint32) {
			_ = f.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded, id, []byte{9, 1})
		}},
		{name: "HEADERS cut short", kind: Protocol, want: "cut short", answer: func(f *frames, id uint32) {
			_ = f.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPriority, id, []byte{9, 1})
		}},
		{name: "block that cannot be decoded", kind: Protocol, want: "cannot be decoded", answer: func(f *frames, id uint32) {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, EndHeaders: true})
		}},
		{name: "block broken by another frame", kind: Protocol, want: "broken by another frame", answer: func(f *frames, id uint32) {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.pack(":status", "200")})
			_ = f.WritePing(false, [8]byte{})
		}},
		{name: "CONTINUATION of nothing", kind: Protocol, want: "broken by another frame", answer: func(f *frames, id uint32) {
			_ = f.WriteContinuation(id, true, nil)
		}},
		{name: "endless CONTINUATION", kind: Protocol, want: "header of the response is larger", answer: func(f *frames, id uint32) {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id})
			for range 2000 {
				if f.WriteContinuation(id, false, nil) != nil {
					return
				}
			}
		}},
		{name: "header too large", kind: Protocol, want: "larger than 128 KiB", answer: func(f *frames, id uint32) {
			// One entry of the table, named again and again: a header bomb.
			b := append([]byte(nil), f.pack(":status", "200", "x", strings.Repeat("y", 3000))...)
			b = append(b, bytes.Repeat([]byte{0x80 | 62}, 100)...)
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b, EndHeaders: true})
		}},
		{name: "frame too large", kind: Protocol, want: "frame is larger than 16384", answer: func(f *frames, id uint32) {
			f.head(id, false, ":status", "200")
			_ = f.WriteData(id, false, make([]byte, maxFrame+1))
		}},
		{name: "window too large", kind: Protocol, want: "out of range", answer: func(f *frames, id uint32) { _ = f.WriteWindowUpdate(0, maxWindow) }},
		{name: "window grows by nothing", kind: Protocol, want: "out of range", answer: func(f *frames, id uint32) {
			_ = f.WriteRawFrame(http2.FrameWindowUpdate, 0, id, make([]byte, 4))
		}},
		{name: "setting of a window too large", kind: Protocol, want: "too large", answer: func(f *frames, id uint32) {
			_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31})
		}},
		{name: "setting of a frame too small", kind: Protocol, want: "out of range", answer: func(f *frames, id uint32) {
			_ = f.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1})
		}},
		{name: "SETTINGS of 5 bytes", kind: Protocol, want: "SETTINGS has 5", answer: func(f *frames, id uint32) {
			_ = f.WriteRawFrame(http2.FrameSettings, 0, 0, make([]byte, 5))
		}},
		{name: "PING of 5 bytes", kind: Protocol, want: "PING has 5", answer: func(f *frames, id uint32) {
			_ = f.WriteRawFrame(http2.FramePing, 0, 0, make([]byte, 5))
		}},
		{name: "GOAWAY of 5 bytes", kind: Protocol, want: "GOAWAY has 5", answer: func(f *frames, id uint32) {
			_ = f.WriteRawFrame(http2.FrameGoAway, 0, 0, make([]byte, 5))
		}},
		{name: "RST_STREAM of 5 bytes", kind: Protocol, want: "RST_STREAM has 5", answer: func(f *frames, id uint32) {
			_ = f.WriteRawFrame(http2.FrameRSTStream, 0, id, make([]byte, 5))
		}},
		{name: "WINDOW_UPDATE of 5 bytes", kind: Protocol, want: "WINDOW_UPDATE has 5", answer: func(f *frames, id uint32) {
			_ = f.WriteRawFrame(http2.FrameWindowUpdate, 0, id, make([]byte, 5))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := serveFrames(t, func(_ int, f *frames) {
				f.AllowIllegalWrites = true
				for id := f.take(); id != 0; id = f.take() {
					tt.answer(f, id)
				}
			})
			s := newSession(t, Options{Version: "h2c"})
			if tt.kind != None {
				doFails(t, s, to(srv.url+"/"), tt.kind, tt.want)
				return
			}
			for range 2 {
				if resp := do(t, s, to(srv.url+"/")); resp.Status != tt.status || string(resp.Body) != tt.body {
					t.Errorf("got %d %q, want %d %q", resp.Status, resp.Body, tt.status, tt.body)
				}
			}
		})
	}
}

// What the client must say: answers to PING and SETTINGS, more window as it
// takes data, and no more data than it was given window for.
func TestTwoSpeaks(t *testing.T) {
	t.Parallel()
	type seen struct {
		pings, acks, windows int
		data                 []int
	}
	got := make(chan seen, 1)
	srv := serveFrames(t, func(_ int, f *frames) {
		var s seen
		defer func() { got <- s }()
		_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100})
		_ = f.WritePing(false, [8]byte{1, 2, 3})
		left := 1000
		for {
			fr, err := f.ReadFrame()
			if err != nil {
				return
			}
			switch fr := fr.(type) {
			case *http2.SettingsFrame:
				if fr.IsAck() {
					s.acks++
				}
			case *http2.PingFrame:
				if fr.IsAck() && fr.Data == [8]byte{1, 2, 3} {
					s.pings++
				}
			case *http2.WindowUpdateFrame:
				s.windows++
				if fr.StreamID != 0 {
					_ = f.WriteData(fr.StreamID, true, nil)
				}
			case *http2.DataFrame:
				n := len(fr.Data())
				s.data = append(s.data, n)
				if left -= n; left > 0 {
					_ = f.WriteWindowUpdate(fr.StreamID, 100)
					continue
				}
				// An answer that takes more than half of the stream's window.
				f.head(fr.StreamID, false, ":status", "200")
				for range streamWindow/2/maxFrame + 2 {
					_ = f.WriteData(fr.StreamID, false, make([]byte, maxFrame))
				}
			}
		}
	})
	s := newSession(t, Options{Version: "h2c"})
	req := to(srv.url + "/")
	req.Method, req.Body = "POST", make([]byte, 1000)
	resp := do(t, s, req)
	if want := int64(streamWindow/2 + 2*maxFrame); resp.BodySize != want {
		t.Errorf("the body has %d bytes, want %d", resp.BodySize, want)
	}
	s.Close()
	g := <-got
	if g.acks != 2 || g.pings != 1 || g.windows != 2 {
		t.Errorf("%d SETTINGS and %d PING were answered, %d windows opened; want 2, 1, and 2", g.acks, g.pings, g.windows)
	}
	if len(g.data) != 1 || g.data[0] != 1000 {
		t.Errorf("data came as %v, want 1000 bytes before the SETTINGS were read", g.data)
	}
}

// The server shrinks the window below what was sent, then opens it bit by bit.
func TestTwoWaitsForWindow(t *testing.T) {
	t.Parallel()
	got := make(chan []int, 1)
	srv := serveFrames(t, func(_ int, f *frames) {
		f.head(f.take(), true, ":status", "204")
		_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100})
		f.head(f.take(), true, ":status", "204")
		id := f.take()
		var data []int
		for sum := 0; sum < 950; {
			fr, err := f.ReadFrame()
			if err != nil {
				break
			}
			if d, ok := fr.(*http2.DataFrame); ok {
				data = append(data, len(d.Data()))
				sum += len(d.Data())
				_ = f.WriteWindowUpdate(id, 400)
			}
		}
		f.head(id, true, ":status", "200")
		got <- data
	})
	s := newSession(t, Options{Version: "h2c"})
	do(t, s, to(srv.url+"/"))
	do(t, s, to(srv.url+"/"))
	req := to(srv.url + "/")
	req.Method, req.Body = "POST", make([]byte, 950)
	do(t, s, req)
	if diff := cmp.Diff([]int{100, 400, 400, 50}, <-got); diff != "" {
		t.Errorf("DATA frames (-want +got):\n%s", diff)
	}
}

// A larger window in SETTINGS opens the stream that waits.
func TestTwoWaitsForSettings(t *testing.T) {
	t.Parallel()
	srv := serveFrames(t, func(_ int, f *frames) {
		_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100})
		f.head(f.take(), true, ":status", "204")
		id := f.take()
		for sum := 0; sum < 950; {
			fr, err := f.ReadFrame()
			if err != nil {
				return
			}
			if d, ok := fr.(*http2.DataFrame); ok {
				if sum += len(d.Data()); sum == 100 {
					_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 2000})
				}
			}
		}
		f.head(id, true, ":status", "200")
		f.untilGone()
	})
	s := newSession(t, Options{Version: "h2c"})
	do(t, s, to(srv.url+"/"))
	req := to(srv.url + "/")
	req.Method, req.Body = "POST", make([]byte, 950)
	do(t, s, req)
}

// The window of the connection is opened again when half of it is used; that is
// too much to send here.
func TestTwoOpensTheConnectionsWindow(t *testing.T) {
	t.Parallel()
	var r reader1
	r.reset(false, nil, 0)
	h := newConn2(&conn{})
	h.open(&r, nil, nil, nil)
	h.out, h.settled, h.connTaken = nil, true, connWindow/2
	r.part, r.length = inClose, -1
	if err := h.feed(append(appendFrame(nil, frameData, 0, h.id, 3), "abc"...)); err != nil {
		t.Fatal(err)
	}
	if want := appendWindow(nil, 0, connWindow/2+3); !bytes.Equal(h.out, want) {
		t.Errorf("got %x, want %x", h.out, want)
	}
}

func TestTwoRetries(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]func(f *frames, id uint32){
		"refused": func(f *frames, id uint32) { _ = f.WriteRSTStream(id, http2.ErrCodeRefusedStream) },
		"GOAWAY":  func(f *frames, id uint32) { _ = f.WriteGoAway(id-2, http2.ErrCodeNo, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serveFrames(t, func(n int, f *frames) {
				f.head(f.take(), true, ":status", "204")
				if n == 0 {
					second(f, f.take())
				}
				f.untilGone()
			})
			s := newSession(t, Options{Version: "h2c"})
			req := to(srv.url + "/")
			req.Method = "POST"
			do(t, s, req)
			if resp := do(t, s, req); !resp.Retried {
				t.Error("what the server did not take was not sent again")
			}
		})
	}
	srv := serveFrames(t, func(n int, f *frames) {
		f.head(f.take(), true, ":status", "204")
		if n == 0 {
			f.take()
			_ = f.WriteSettings() // bytes, but no answer
			_ = f.Close()
		}
		f.untilGone()
	})
	s := newSession(t, Options{Version: "h2c"})
	req := to(srv.url + "/")
	do(t, s, req)
	if resp := do(t, s, req); !resp.Retried {
		t.Error("a GET on a closed connection was not sent again")
	}
	// A PING while idle does not make a connection stale; its end does.
	calm := serveFrames(t, func(n int, f *frames) {
		f.head(f.take(), true, ":status", "204")
		_ = f.WritePing(false, [8]byte{})
		f.head(f.take(), true, ":status", "204")
		f.untilGone()
	})
	s = newSession(t, Options{Version: "h2c"})
	do(t, s, to(calm.url+"/"))
	s.conns[0].idleSince -= time.Hour
	if resp := do(t, s, to(calm.url+"/")); !resp.Reused || resp.Retried {
		t.Errorf("reused %v, retried %v", resp.Reused, resp.Retried)
	}
}

// An answer before the end of the request ends it; the connection goes on.
func TestTwoEarlyAnswer(t *testing.T) {
	t.Parallel()
	srv := serveFrames(t, func(_ int, f *frames) {
		f.head(f.take(), true, ":status", "413")
		f.head(f.take(), true, ":status", "204")
		f.untilGone()
	})
	s := newSession(t, Options{Version: "h2c"})
	req := to(srv.url + "/")
	req.Method, req.Body = "POST", make([]byte, 1<<20)
	if resp := do(t, s, req); resp.Status != 413 {
		t.Errorf("got %d, want 413", resp.Status)
	}
	if resp := do(t, s, to(srv.url+"/")); resp.Status != 204 || !resp.Reused {
		t.Errorf("got %d, reused %v", resp.Status, resp.Reused)
	}
}

// FuzzFrames feeds arbitrary frames: it never panics, never keeps more than its
// limits, and reads the same whole or byte by byte.
func FuzzFrames(f *testing.F) {
	var b bytes.Buffer
	fr := &frames{Framer: http2.NewFramer(&b, nil)}
	fr.enc = hpack.NewEncoder(&fr.header)
	_ = fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 9})
	fr.head(1, false, ":status", "200", "content-length", "5", "x", "y")
	_ = fr.WriteDataPadded(1, false, []byte("hello"), make([]byte, 3))
	f.Add(append([]byte(nil), b.Bytes()...))
	fr.head(1, true, "sum", "1")
	f.Add(append([]byte(nil), b.Bytes()...))
	f.Fuzz(func(t *testing.T, data []byte) {
		type outcome struct {
			Err, Body string
			Status    int
			Done      bool
			Fields    []Field
		}
		run := func(piece int) (o outcome) {
			var r reader1
			var body []byte
			r.reset(false, &body, 1000)
			h := newConn2(&conn{addr: "test"})
			h.open(&r, []byte{0x82}, nil, nil)
			for rest := data; len(rest) > 0; {
				n := min(piece, len(rest))
				if err := h.feed(rest[:n]); err != nil {
					o.Err = err.Error()
					break
				}
				rest = rest[n:]
				if len(h.buf) > maxFrame || len(h.block) > maxHead || len(body) > 1000 {
					t.Fatalf("%d bytes of a frame, %d of a header, %d of body are kept", len(h.buf), len(h.block), len(body))
				}
			}
			if o.Err == "" {
				o.Body, o.Status, o.Done, o.Fields = string(body), r.status, h.done, r.fields
			}
			return o
		}
		if diff := cmp.Diff(run(len(data)+1), run(1)); diff != "" {
			t.Fatalf("whole and byte by byte differ:\n%s", diff)
		}
	})
}
