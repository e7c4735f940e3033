package wire

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain fails when the tests leave a goroutine of this package, or a
// descriptor, behind.
func TestMain(m *testing.M) {
	before := descriptors()
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if left := leftovers(before); left != "" {
			fmt.Fprintln(os.Stderr, left) //nolint:forbidigo // a test's own report
			code = 1
		}
	}
	os.Exit(code) //nolint:forbidigo // as TestMain does
}

// leftovers says what is still open. What is closed may take a moment to end.
func leftovers(before int) string {
	left := ""
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); runtime.Gosched() {
		left = ""
		buf := make([]byte, 1<<20)
		for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(g, "internal/wire.") && !strings.Contains(g, "wire.TestMain") {
				left += "left behind:\n" + g + "\n"
			}
		}
		if now := descriptors(); now > before {
			left += fmt.Sprintf("%d descriptors were open before the tests, %d are after", before, now)
		}
		if left == "" {
			return ""
		}
	}
	return left
}

// descriptors counts the sockets of this process, where the system tells.
func descriptors() (n int) {
	all, _ := os.ReadDir("/proc/self/fd")
	for _, d := range all {
		if to, _ := os.Readlink("/proc/self/fd/" + d.Name()); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// to returns a GET of url that keeps the body.
func to(url string) *Request {
	scheme, rest, _ := strings.Cut(url, "://")
	host, path, _ := strings.Cut(rest, "/")
	return &Request{Method: "GET", Scheme: scheme, Host: host, Path: "/" + path, KeepBody: true}
}

func newSession(t testing.TB, o Options) *Session {
	t.Helper()
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	s := c.NewSession()
	t.Cleanup(func() { s.Close(); c.Close() })
	return s
}

// do sends req and fails the test unless it is answered.
func do(t testing.TB, s *Session, req *Request) *Response {
	t.Helper()
	resp := new(Response)
	s.Do(t.Context(), req, resp)
	if resp.Err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.Path, resp.Err)
	}
	return resp
}

// doFails sends req and fails the test unless it fails with kind and with want
// in its message.
func doFails(t testing.TB, s *Session, req *Request, kind Kind, want string) *Response {
	t.Helper()
	resp := new(Response)
	s.Do(context.Background(), req, resp)
	checkFailed(t, resp, kind, want)
	return resp
}

// runsOut has try time out until it does so at the place that want is the message
// of: on a busy machine a short limit may pass before that is reached.
func runsOut(t testing.TB, want string, try func(limit time.Duration) *Response) {
	t.Helper()
	for limit := 10 * time.Millisecond; ; limit *= 3 {
		resp := try(limit)
		want := strings.ReplaceAll(want, "LIMIT", limit.String())
		if limit < 5*time.Second && resp.Kind == Timeout && !strings.Contains(resp.Err.Error(), want) {
			continue
		}
		checkFailed(t, resp, Timeout, want)
		if resp.Times.Done < limit {
			t.Errorf("a limit of %v passed after %v", limit, resp.Times.Done)
		}
		return
	}
}

func checkFailed(t testing.TB, resp *Response, kind Kind, want string) {
	t.Helper()
	if resp.Kind != kind || resp.Err == nil || !strings.Contains(resp.Err.Error(), want) {
		t.Errorf("got %q: %v, want %q: ...%s...", resp.Kind, resp.Err, kind, want)
	}
	if resp.Status != 0 || resp.Header != nil || resp.Body != nil {
		t.Errorf("a failed response has status %d, %d fields, %d bytes of body", resp.Status, len(resp.Header), len(resp.Body))
	}
	if resp.Times.Done <= 0 {
		t.Errorf("a failed response has Done %v", resp.Times.Done)
	}
}

// A rawServer is a server whose every byte a test decides.
type rawServer struct {
	net.Listener
	url  string
	addr string
	wg   sync.WaitGroup
	stop chan struct{}
}

// serve runs handle for each connection, which is closed after it; n counts
// them from 0. When the test ends, what waits on a connection is woken.
func serve(t testing.TB, handle func(n int, c *rawConn)) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{Listener: l, url: "http://" + l.Addr().String(), addr: l.Addr().String(), stop: make(chan struct{})}
	s.wg.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			over := make(chan struct{})
			s.wg.Go(func() {
				defer close(over)
				defer func() { _ = c.Close() }()
				handle(n, &rawConn{c, bufio.NewReader(c), s.stop})
			})
			s.wg.Go(func() {
				select {
				case <-s.stop:
					_ = c.Close()
				case <-over:
				}
			})
		}
	})
	t.Cleanup(func() { close(s.stop); _ = l.Close(); s.wg.Wait() })
	return s
}

// A rawConn is the server's side of a connection.
type rawConn struct {
	net.Conn
	in   *bufio.Reader
	stop chan struct{}
}

// request reads one request, its body included; nil when the client is gone.
func (c *rawConn) request() *http.Request {
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil
	}
	return r
}

// small keeps the socket from holding much.
func (c *rawConn) small() {
	_ = c.Conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	_ = c.Conn.(*net.TCPConn).SetWriteBuffer(64 << 10)
}

// say writes s; a client that is gone is no matter.
func (c *rawConn) say(s string) { _, _ = io.WriteString(c, s) }

// untilGone waits until the client closes, or the test ends.
func (c *rawConn) untilGone() { _, _ = io.Copy(io.Discard, c.in) }

// answers serves the same bytes to every request on every connection, and
// closes after each if they ask for it.
func answers(t testing.TB, response string) *rawServer {
	t.Helper()
	return serve(t, func(_ int, c *rawConn) {
		for c.request() != nil {
			c.say(response)
		}
	})
}

// once serves bytes to the first request of a connection, then closes it.
func once(t testing.TB, response string) *rawServer {
	t.Helper()
	return serve(t, func(_ int, c *rawConn) {
		if c.request() != nil {
			c.say(response)
		}
	})
}

// quiet is the log of servers that are meant to fail.
var quiet = log.New(io.Discard, "", 0)
