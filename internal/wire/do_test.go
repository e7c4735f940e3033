package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

// echo tells what came: method, URL, length of the body.
func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "%s %s %d", r.Method, r.URL, len(b))
}

func TestDo(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(srv.Close)
	s := newSession(t, Options{})
	req := to(srv.URL + "/a?b=c")
	for i := range 3 {
		resp := do(t, s, req)
		if resp.Status != 200 || resp.Proto != "1.1" || string(resp.Body) != "GET /a?b=c 0" || resp.BodySize != 12 {
			t.Errorf("got %d %s %q of %d bytes", resp.Status, resp.Proto, resp.Body, resp.BodySize)
		}
		if resp.Reused != (i > 0) || resp.Retried {
			t.Errorf("request %d: reused %v, retried %v", i, resp.Reused, resp.Retried)
		}
		if got := Get(resp.Header, "content-length"); got != "12" {
			t.Errorf("got Content-Length %q, want 12", got)
		}
		checkTimes(t, resp.Times, i == 0)
		if want := int64(len("GET /a?b=c HTTP/1.1\r\nHost: ") + len(req.Host) + len("\r\nAccept-Encoding: gzip\r\n\r\n")); resp.Out != want {
			t.Errorf("%d bytes went out, want %d", resp.Out, want)
		}
		if resp.In <= resp.BodySize {
			t.Errorf("%d bytes came in, with a body of %d", resp.In, resp.BodySize)
		}
	}
	req.Method, req.Body = "POST", []byte("hello")
	if got := string(do(t, s, req).Body); got != "GET /a?b=c 0" {
		t.Errorf("changed without Changed: got %q, want what was encoded", got)
	}
	req.Changed()
	if got := string(do(t, s, req).Body); got != "POST /a?b=c 5" {
		t.Errorf("after Changed: got %q", got)
	}
}

func checkTimes(t *testing.T, at Times, fresh bool) {
	t.Helper()
	if age := time.Since(at.Start); age < 0 || age > time.Minute {
		t.Errorf("Start is %v ago", age)
	}
	if (at.Connect > 0) != fresh || at.DNS != 0 || at.TLS != 0 {
		t.Errorf("fresh %v: DNS %v, connect %v, TLS %v", fresh, at.DNS, at.Connect, at.TLS)
	}
	if at.Sent < at.Connect || at.FirstByte < at.Sent || at.Done < at.FirstByte {
		t.Errorf("out of order: connect %v, sent %v, first byte %v, done %v", at.Connect, at.Sent, at.FirstByte, at.Done)
	}
}

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opts Options
		req  *Request
		want string
	}{
		{
			"plain",
			Options{UserAgent: "loadline/1"},
			&Request{Path: "/"},
			"GET / HTTP/1.1\r\nHost: HOST\r\nUser-Agent: loadline/1\r\nAccept-Encoding: gzip\r\n\r\n",
		},
		{
			"own fields win",
			Options{UserAgent: "loadline/1"},
			&Request{Path: "/", Header: []Field{{"host", "other"}, {"user-agent", "me"}, {"accept-encoding", "br"}, {"X", "y"}}},
			"GET / HTTP/1.1\r\nHost: other\r\nuser-agent: me\r\naccept-encoding: br\r\nX: y\r\n\r\n",
		},
		{
			"framing is ours",
			Options{NoCompression: true},
			&Request{
				Method: "PUT", Path: "/", Body: []byte("abc"),
				Header: []Field{{"Content-Length", "9"}, {"Transfer-Encoding", "chunked"}, {"Connection", "upgrade"}, {"Upgrade", "h2c"}, {"Keep-Alive", "x"}},
			},
			"PUT / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\nabc",
		},
		{
			"empty POST",
			Options{NoCompression: true, NoKeepAlive: true},
			&Request{Method: "POST", Path: "/"},
			"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		},
		{
			"cookies last, in one field",
			Options{NoCompression: true},
			&Request{Method: "DELETE", Path: "/", Header: []Field{{"Cookie", "a=1"}, {"X", "y"}, {"cookie", "b=2"}}},
			"DELETE / HTTP/1.1\r\nHost: HOST\r\nX: y\r\nCookie: a=1; b=2\r\n\r\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := make(chan string, 1)
			want := tt.want
			srv := serve(t, func(_ int, c *rawConn) {
				b := make([]byte, len(strings.ReplaceAll(want, "HOST", c.LocalAddr().String())))
				n, _ := io.ReadFull(c.in, b)
				got <- strings.ReplaceAll(string(b[:n]), c.LocalAddr().String(), "HOST")
				c.say("HTTP/1.1 204 X\r\n\r\n")
			})
			tt.req.Scheme, tt.req.Host = "http", srv.addr
			do(t, newSession(t, tt.opts), tt.req)
			if got := <-got; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	for name, req := range map[string]*Request{
		"header with a line break":  {Path: "/", Header: []Field{{"X", "a\r\nY: b"}}},
		"header name with a blank":  {Path: "/", Header: []Field{{"X Y", "a"}}},
		"header without a name":     {Path: "/", Header: []Field{{"", "a"}}},
		"path with a blank":         {Path: "/a b"},
		"path with a line break":    {Path: "/ HTTP/1.1\r\nX: y"},
		"no path":                   {},
		"method with a blank":       {Path: "/", Method: "GET /x"},
		"host with a user":          {Path: "/", Host: "a@b"},
		"no host":                   {Path: "/", Host: "-"},
		"header with a zero byte":   {Path: "/", Header: []Field{{"X", "a\x00"}}},
		"host with a path":          {Path: "/", Host: "a/b"},
		"host with a control byte":  {Path: "/", Host: "a\nb"},
		"method with a line break":  {Path: "/", Method: "A\r\n"},
		"header name with a colon":  {Path: "/", Header: []Field{{"X:", "a"}}},
		"header name with CR":       {Path: "/", Header: []Field{{"X\r", "a"}}},
		"header value with DEL":     {Path: "/", Header: []Field{{"X", "\x7f"}}},
		"path with a NUL":           {Path: "/\x00"},
		"path with a DEL":           {Path: "/\x7f"},
		"host with a question mark": {Path: "/", Host: "a?b"},
	} {
		req.Scheme = "http"
		switch req.Host {
		case "":
			req.Host = "127.0.0.1:1"
		case "-":
			req.Host = ""
		}
		var resp Response
		s.Do(t.Context(), req, &resp)
		if resp.Kind != Protocol || resp.Out != 0 {
			t.Errorf("%s: got %q: %v, want protocol; %d bytes sent", name, resp.Kind, resp.Err, resp.Out)
		}
	}
}

// What the framing tests of the reader cannot see: which connection is used
// again.
func TestKeepsConnection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, response string
		opts           Options
		method         string
		reused         bool
	}{
		{name: "length", response: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", reused: true},
		{name: "chunked", response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: x\r\n\r\n", reused: true},
		{name: "HEAD", method: "HEAD", response: "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", reused: true},
		{name: "204", response: "HTTP/1.1 204 OK\r\n\r\n", reused: true},
		{name: "304", response: "HTTP/1.1 304 OK\r\nContent-Length: 500\r\n\r\n", reused: true},
		{name: "1xx", response: "HTTP/1.1 103 Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", reused: true},
		{name: "1.0", response: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"},
		{name: "1.0 keep-alive", response: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", reused: true},
		{name: "close", response: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"},
		{name: "more than asked for", response: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhihi"},
		{name: "switches protocols", response: "HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n"},
		{name: "no keep-alive", opts: Options{NoKeepAlive: true}, response: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := answers(t, tt.response)
			s := newSession(t, tt.opts)
			req := to(srv.url + "/")
			req.Method = tt.method
			do(t, s, req)
			second := do(t, s, req)
			if second.Reused != tt.reused || second.Retried {
				t.Errorf("reused %v, retried %v; want reused %v", second.Reused, second.Retried, tt.reused)
			}
		})
	}
}

func TestBodyUntilClose(t *testing.T) {
	t.Parallel()
	srv := once(t, "HTTP/1.1 200 OK\r\n\r\nall of this")
	resp := do(t, newSession(t, Options{}), to(srv.url+"/"))
	if string(resp.Body) != "all of this" || resp.BodySize != 11 {
		t.Errorf("got %q of %d bytes", resp.Body, resp.BodySize)
	}
}

// A target that breaks off, or talks nonsense, is told apart from one that is
// slow, and says so in words.
func TestBrokenResponses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, response string
		kind           Kind
		want           string
	}{
		{"nothing", "", Reset, "closed the connection before it answered"},
		{"half a header", "HTTP/1.1 200 OK\r\nX: y", Reset, "in the middle of the response (21 bytes of header had come)"},
		{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", Body, "before the body was complete (5 of 10 bytes of body had come)"},
		{"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Body, "3 bytes of body had come"},
		{"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Body, "5 bytes of body had come"},
		{"invalid chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello world", Protocol, "a chunk is framed wrongly"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi", Protocol, "two different Content-Lengths"},
		{"not HTTP", "220 mail.example ESMTP\r\n", Protocol, "does not start like HTTP/1"},
		{"endless header", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 200), Protocol, "larger than 128 KiB"},
		{"not gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot gzip at ", Body, "says it is gzip"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := once(t, tt.response)
			if resp := doFails(t, newSession(t, Options{}), to(srv.url+"/"), tt.kind, tt.want); resp.Retried {
				t.Error("sent again, though the connection was new")
			}
		})
	}
}

func TestResetInTheBody(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(_ int, c *rawConn) {
		c.request()
		c.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
		_ = c.Conn.(*net.TCPConn).SetLinger(0)
	})
	doFails(t, newSession(t, Options{}), to(srv.url+"/"), Reset, "reset the connection")
}

func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	resp := doFails(t, newSession(t, Options{}), to("http://"+addr+"/"), Refused, "connection refused by "+addr)
	if resp.Times.Connect <= 0 || resp.Times.Sent != 0 {
		t.Errorf("connect took %v, sent at %v", resp.Times.Connect, resp.Times.Sent)
	}
}

func TestUnknownName(t *testing.T) {
	t.Parallel()
	// A label of more than 63 bytes is no name: no server is asked.
	doFails(t, newSession(t, Options{}), to("http://"+strings.Repeat("x", 64)+".invalid/"), DNS, "cannot resolve")
}

// A response that trickles in for ever ends with the timeout of the request,
// which no byte extends.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, start, then, want string }{
		{"silence", "", "", "no complete response in LIMIT"},
		{"slow header", "HTTP/1.1 200 OK\r\n", "X: y\r\n", "bytes of header had come"},
		{"slow body", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "x", "of 1000000 bytes of body had come"},
		{"slow chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", "bytes of body had come"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, func(_ int, c *rawConn) {
				c.request()
				c.say(tt.start)
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for tt.then != "" {
					select {
					case <-c.stop:
						return
					case <-tick.C:
					}
					if _, err := io.WriteString(c, tt.then); err != nil {
						return
					}
				}
				c.untilGone()
			})
			s := newSession(t, Options{})
			runsOut(t, tt.want, func(limit time.Duration) *Response {
				req := to(srv.url + "/")
				req.Timeout = limit
				resp := new(Response)
				s.Do(t.Context(), req, resp)
				return resp
			})
		})
	}
}

// The poller is told the deadline once in a timeout's length, not for each
// request: one that is too early must not end a later request, and one that is
// too late must not let a shorter one overrun.
func TestDeadlineMovesWithTheRequests(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	srv := serve(t, func(_ int, c *rawConn) {
		for c.request() != nil {
			select {
			case <-hold:
			case <-c.stop:
				return
			}
			c.say("HTTP/1.1 204 X\r\n\r\n")
		}
	})
	s := newSession(t, Options{Timeout: time.Hour})
	req := to(srv.url + "/")
	go func() { hold <- struct{}{} }()
	do(t, s, req)
	l := s.conns[0].link
	// The answer may come in the same moment as the deadline, and then nothing is
	// moved: on a busy machine it takes more than one try to see it move.
	moved := false
	for try := 0; try < 20 && !moved; try++ {
		armed := now() + 5*time.Millisecond
		l.arm(armed) // as if the request before had had a short timeout
		go func() {
			// It passes while the request waits.
			for now() < armed+20*time.Millisecond {
				time.Sleep(time.Millisecond)
			}
			hold <- struct{}{}
		}()
		if resp := do(t, s, req); !resp.Reused {
			t.Fatal("the request did not use the connection of the one before")
		}
		moved = l.armed > armed
	}
	if !moved {
		t.Error("the deadline was never moved")
	}
	req.Timeout = 20 * time.Millisecond
	resp := doFails(t, s, req, Timeout, "no complete response in 20ms")
	if resp.Times.Done > 20*time.Second {
		t.Errorf("the shorter deadline came after %v", resp.Times.Done)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		came := make(chan struct{}, 1)
		srv := serve(t, func(_ int, c *rawConn) {
			for c.request() != nil {
				came <- struct{}{}
				c.untilGone()
			}
		})
		s := newSession(t, Options{Timeout: time.Hour, NoKeepAlive: !keep})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-came; cancel() }()
		var resp Response
		s.Do(ctx, to(srv.url+"/"), &resp)
		checkFailed(t, &resp, Timeout, "the request was cancelled")
		if !errors.Is(resp.Err, context.Canceled) {
			t.Errorf("%v does not wrap context.Canceled", resp.Err)
		}
		s.Do(ctx, to(srv.url+"/"), &resp)
		checkFailed(t, &resp, Timeout, "the request was cancelled")
	}
}

// Steps that run after the load was stopped have a context of their own, on the
// same session and connection.
func TestNewContextAfterCancel(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(srv.Close)
	s := newSession(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var resp Response
	s.Do(ctx, to(srv.URL+"/"), &resp)
	l := s.conns[0].link
	cancel()
	for !s.stop.Load() { // the context's own goroutine sets it
		time.Sleep(time.Millisecond)
	}
	l.interrupt() // as it does, maybe later
	if resp := do(t, s, to(srv.URL+"/")); !resp.Reused {
		t.Error("the connection was lost")
	}
}

func TestDeadlineOfContext(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(_ int, c *rawConn) { c.untilGone() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	var resp Response
	newSession(t, Options{}).Do(ctx, to(srv.url+"/"), &resp)
	checkFailed(t, &resp, Timeout, "the request was cancelled")
	if !errors.Is(resp.Err, context.DeadlineExceeded) {
		t.Errorf("%v does not wrap context.DeadlineExceeded", resp.Err)
	}
}

// The server closes a connection that looks idle to it just as the next request
// is on its way.
func TestClosedWhileIdle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method string
		last         string // what the server says as it closes
		read         bool   // it has read the request by then
		kind         Kind
	}{
		{name: "GET", method: "GET", read: true},
		{name: "DELETE", method: "DELETE", read: true},
		{name: "POST", method: "POST", read: true, kind: Reset},
		{name: "answer begun", method: "GET", read: true, last: "HTTP/1.1 200 OK\r\n", kind: Reset},
		{name: "interim answer", method: "GET", read: true, last: "HTTP/1.1 100 Continue\r\n\r\n", kind: Reset},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, func(n int, c *rawConn) {
				c.request()
				c.say("HTTP/1.1 204 X\r\n\r\n")
				if n == 0 {
					c.request()
					c.say(tt.last)
					return
				}
				c.request()
			})
			s := newSession(t, Options{})
			req := to(srv.url + "/")
			req.Method = tt.method
			do(t, s, req)
			var resp Response
			s.Do(t.Context(), req, &resp)
			if resp.Kind != tt.kind || resp.Retried != (tt.kind == None) {
				t.Errorf("got %q: %v, retried %v; want %q", resp.Kind, resp.Err, resp.Retried, tt.kind)
			}
			if resp.Retried && (resp.Reused || resp.Times.Connect == 0) {
				t.Errorf("a retry is on a new connection: reused %v, connect %v", resp.Reused, resp.Times.Connect)
			}
		})
	}
}

// It is not sent a third time.
func TestRetriesOnce(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(n int, c *rawConn) {
		c.request()
		if n == 0 {
			c.say("HTTP/1.1 204 X\r\n\r\n")
			c.request()
		}
	})
	s := newSession(t, Options{})
	do(t, s, to(srv.url+"/"))
	if resp := doFails(t, s, to(srv.url+"/"), Reset, "closed the connection before it answered"); !resp.Retried {
		t.Error("not retried")
	}
}

// A connection that was closed in a pause is seen before anything is sent, so
// even a POST does not fail.
func TestClosedInAPause(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	srv := serve(t, func(n int, c *rawConn) {
		c.request()
		c.say("HTTP/1.1 204 X\r\n\r\n")
		if n == 0 {
			_ = c.Close()
			close(closed)
			return
		}
		c.untilGone()
	})
	s := newSession(t, Options{})
	req := to(srv.url + "/")
	req.Method = "POST"
	do(t, s, req)
	<-closed
	s.conns[0].idleSince -= time.Hour
	if resp := do(t, s, req); resp.Reused || resp.Retried {
		t.Errorf("reused %v, retried %v; want a new connection", resp.Reused, resp.Retried)
	}
	s.conns[0].idleSince -= time.Hour
	if s.conns[0].link.stale(false) {
		t.Error("a live connection looks stale")
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("0123456789", 20000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, big) }))
	t.Cleanup(srv.Close)
	s := newSession(t, Options{BodyLimit: 1000})
	req := to(srv.URL + "/")
	if resp := do(t, s, req); string(resp.Body) != big[:1000] || resp.BodySize != int64(len(big)) {
		t.Errorf("kept %d of %d bytes, want 1000 of %d", len(resp.Body), resp.BodySize, len(big))
	}
	req.KeepBody = false
	if resp := do(t, s, req); resp.Body != nil || resp.BodySize != int64(len(big)) || !resp.Reused {
		t.Errorf("kept %d of %d bytes, reused %v; want none", len(resp.Body), resp.BodySize, resp.Reused)
	}
}

func zipped(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGzip(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("hello, world. ", 500)
	bomb := strings.Repeat("\x00", 50<<20)
	bodies := map[string][]byte{
		"/text": zipped(t, text), "/bomb": zipped(t, bomb), "/corrupt": append(zipped(t, text)[:60], 1, 2, 3),
		"/two": append(zipped(t, "a"), zipped(t, "b")...), "/empty": {},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") == "gzip" {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bodies[r.URL.Path])
		}
	}))
	t.Cleanup(srv.Close)
	s := newSession(t, Options{BodyLimit: 10000})
	if resp := do(t, s, to(srv.URL+"/text")); string(resp.Body) != text || resp.BodySize != int64(len(bodies["/text"])) {
		t.Errorf("got %d bytes of %d", len(resp.Body), resp.BodySize)
	}
	for range 2 {
		if resp := do(t, s, to(srv.URL+"/bomb")); string(resp.Body) != bomb[:10000] {
			t.Errorf("a bomb gave %d bytes, want 10000", len(resp.Body))
		}
	}
	if resp := do(t, s, to(srv.URL+"/two")); string(resp.Body) != "ab" {
		t.Errorf("two members: got %q", resp.Body)
	}
	if resp := do(t, s, to(srv.URL+"/empty")); len(resp.Body) != 0 {
		t.Errorf("empty: got %q", resp.Body)
	}
	doFails(t, s, to(srv.URL+"/corrupt"), Body, "says it is gzip")
	unread := to(srv.URL + "/corrupt")
	unread.KeepBody = false
	if resp := do(t, s, unread); resp.BodySize != 63 {
		t.Errorf("a body that nobody reads has %d bytes, want 63", resp.BodySize)
	}
	plain := newSession(t, Options{NoCompression: true})
	if resp := do(t, plain, to(srv.URL+"/text")); Get(resp.Header, "Content-Encoding") != "" {
		t.Error("gzip though it was not asked for")
	}
}

// A body of a gigabyte, in one piece and in chunks: counted to the byte, kept up
// to the limit, and never held. Not parallel, as it looks at the heap.
func TestGigabyte(t *testing.T) {
	const size = 1 << 30
	piece := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		for range size / len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}))
	t.Cleanup(srv.Close)
	s := newSession(t, Options{BodyLimit: 1 << 20, Timeout: 5 * time.Minute})
	for _, path := range []string{"/length", "/chunked"} {
		req := to(srv.URL + path)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		resp := do(t, s, req)
		runtime.ReadMemStats(&after)
		if resp.BodySize != size || len(resp.Body) != 1<<20 || !bytes.Equal(resp.Body[:len(piece)], piece) {
			t.Errorf("%s: %d bytes came, %d were kept; want %d and %d", path, resp.BodySize, len(resp.Body), size, 1<<20)
		}
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 64<<20 {
			t.Errorf("%s: the heap grew by %d MiB for it", path, grown>>20)
		}
	}
}

// A body larger than the sockets hold, echoed as it comes: who does not read
// while it writes waits for ever.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	srv := serve(t, func(_ int, c *rawConn) {
		c.small()
		for {
			r, err := http.ReadRequest(c.in)
			if err != nil {
				return
			}
			c.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", r.ContentLength))
			if _, err := io.Copy(c, r.Body); err != nil {
				return
			}
		}
	})
	s := newSession(t, Options{BodyLimit: 32 << 20})
	req := to(srv.url + "/")
	req.Method, req.Body = "POST", body
	for i := range 2 {
		resp := do(t, s, req)
		if !bytes.Equal(resp.Body, body) || resp.Reused != (i > 0) {
			t.Errorf("%d of %d bytes came back, reused %v", len(resp.Body), len(body), resp.Reused)
		}
		if want := int64(len(body)); resp.Out <= want || resp.Out > want+200 {
			t.Errorf("%d bytes went out, want %d and a head", resp.Out, want)
		}
	}
}

// The answer comes although the server never reads the rest of the request.
func TestAnswerBeforeTheEndOfTheRequest(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(_ int, c *rawConn) {
		c.small()
		if _, err := http.ReadRequest(c.in); err == nil {
			c.say("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		}
		<-c.stop
	})
	s := newSession(t, Options{Timeout: time.Hour})
	req := to(srv.url + "/")
	req.Method, req.Body = "POST", make([]byte, 16<<20)
	resp := do(t, s, req)
	if resp.Status != 413 || string(resp.Body) != "no" {
		t.Errorf("got %d %q", resp.Status, resp.Body)
	}
	if len(s.conns) != 0 {
		t.Error("a connection with half a request on it was kept")
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	srv := answers(t, "HTTP/1.1 204 X\r\n\r\n")
	_, port, _ := net.SplitHostPort(srv.addr)
	for _, tt := range []struct {
		hosts []string
		ok    bool
	}{
		{nil, true},
		{[]string{srv.addr}, true},
		{[]string{"127.0.0.1"}, true},
		{[]string{"127.0.0.1:1"}, false},
		{[]string{"example.com", "localhost:" + port}, false},
	} {
		s := newSession(t, Options{Hosts: tt.hosts})
		var resp Response
		s.Do(t.Context(), to(srv.url+"/"), &resp)
		if tt.ok && resp.Err != nil || !tt.ok && resp.Kind != Blocked {
			t.Errorf("hosts %q: got %q: %v", tt.hosts, resp.Kind, resp.Err)
		}
	}
	c, err := NewClient(Options{Hosts: []string{"Example.com:80", "[::1]:443", "b.example:8443"}})
	if err != nil {
		t.Fatal(err)
	}
	for url, ok := range map[string]bool{
		"http://example.COM": true, "https://example.com": false, "http://example.com:80": true, "https://[::1]": true, "http://[::1]": false,
		"https://b.example:8443": true, "https://b.example": false, "http://xexample.com": false, "http://example.com.evil": false,
	} {
		scheme, host, _ := strings.Cut(url, "://")
		if err := c.allowed(scheme, host); (err == nil) != ok {
			t.Errorf("%s: got %v, want allowed %v", url, err, ok)
		}
	}
}

func TestResolveAndFamilies(t *testing.T) {
	t.Parallel()
	srv := answers(t, "HTTP/1.1 204 X\r\n\r\n")
	s := newSession(t, Options{Resolve: map[string]string{"staging.example:80": srv.addr}})
	if resp := do(t, s, to("http://staging.example/")); resp.Times.DNS != 0 {
		t.Errorf("a name that is given took %v to look up", resp.Times.DNS)
	}
	_, port, _ := net.SplitHostPort(srv.addr)
	if resp := do(t, newSession(t, Options{IP: "4"}), to("http://localhost:"+port+"/")); resp.Times.DNS == 0 {
		t.Error("the lookup of localhost took no time")
	}
	// Both addresses of localhost are tried: the server listens on one.
	do(t, newSession(t, Options{}), to("http://localhost:"+port+"/"))
	doFails(t, newSession(t, Options{IP: "6"}), to(srv.url+"/"), Connect, "not an IPv6 address")
}

func TestOptionsErrors(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]Options{
		`HTTP version "3": want one of auto, 1.1, 2, h2c`:                 {Version: "3"},
		`life of cookies "day": want one of user, iteration, off`:         {Cookies: "day"},
		`IP version "5": want one of any, 4, 6`:                           {IP: "5"},
		`proxy "socks5://a:1": want http://host:port or`:                  {Proxy: "socks5://a:1"},
		`proxy "env" without an environment`:                              {Proxy: "env"},
		`address "nowhere" for a:80: want address:port`:                   {Resolve: map[string]string{"a:80": "nowhere"}},
		`TLS version "1.1": want 1.2 or 1.3`:                              {TLS: TLSOptions{MinVersion: "1.1"}},
		`TLS authorities: no PEM certificate in the file`:                 {TLS: TLSOptions{CA: []byte("x")}},
		`TLS client certificate: certificate and key go together`:         {TLS: TLSOptions{Cert: []byte("x")}},
		`TLS client certificate: tls: failed to find any PEM data in cer`: {TLS: TLSOptions{Cert: []byte("x"), Key: []byte("x")}},
	} {
		if c, err := NewClient(o); err == nil || !strings.Contains(err.Error(), want) || c != nil {
			t.Errorf("got %v, %v; want ...%s...", c, err, want)
		}
	}
}

// The plain path allocates nothing.
func TestDoAllocatesNothing(t *testing.T) {
	srv := serve(t, func(_ int, c *rawConn) {
		response := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"hello\": 1}\n")
		for {
			// One packet is one request here, and nothing of it allocates.
			if _, err := c.in.Discard(1); err != nil {
				return
			}
			_, _ = c.in.Discard(c.in.Buffered())
			if _, err := c.Write(response); err != nil {
				return
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, keep := range []bool{false, true} {
		s := newSession(t, Options{UserAgent: "loadline/1"})
		req := to(srv.url + "/")
		req.KeepBody = keep
		var resp Response
		if got := testing.AllocsPerRun(200, func() { s.Do(ctx, req, &resp) }); got != 0 {
			t.Errorf("keep body %v: %v allocations a request, want 0", keep, got)
		}
		if resp.Err != nil || resp.Status != 200 || !resp.Reused {
			t.Errorf("%+v", resp)
		}
	}
}

// Without a raw socket, as on Windows, all goes through plain reads and writes.
func TestPlainLink(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(srv.Close)
	s := newSession(t, Options{Timeout: time.Hour})
	req := to(srv.URL + "/")
	do(t, s, req)
	l := s.conns[0].link
	l.raw = nil
	req.Method, req.Body = "PUT", []byte("hello")
	req.Changed()
	if resp := do(t, s, req); !resp.Reused || string(resp.Body) != "PUT / 5" {
		t.Errorf("reused %v: %q", resp.Reused, resp.Body)
	}
	l.arm(now()) // a deadline that has passed is moved
	if resp := do(t, s, req); !resp.Reused || resp.Out == 0 || resp.In == 0 {
		t.Errorf("reused %v, %d bytes out, %d in", resp.Reused, resp.Out, resp.In)
	}
}

func TestPlainLinkTimeout(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(n int, c *rawConn) {
		c.request()
		c.say("HTTP/1.1 204 X\r\n\r\n")
		c.untilGone()
	})
	s := newSession(t, Options{})
	req := to(srv.url + "/")
	do(t, s, req)
	s.conns[0].link.raw = nil
	req.Timeout = 20 * time.Millisecond
	doFails(t, s, req, Timeout, "no complete response in 20ms")
}
