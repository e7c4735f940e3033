package ui_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/ui"
)

// A fake is a run and its page.
type fake struct {
	frames  atomic.Int64 // made
	state   atomic.Int64
	mu      sync.Mutex
	asked   []string
	refuses error
}

func (f *fake) Page(w io.Writer) error { return write(w, "the page") }

func (f *fake) Frame(w io.Writer) error {
	f.frames.Add(1)
	return write(w, fmt.Sprintf("<b>state\n%d</b>", f.state.Load()))
}

func write(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

func (f *fake) ask(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, what)
	return f.refuses
}

func (f *fake) Start() error { return f.ask("start") }
func (f *fake) Stop() error  { return f.ask("stop") }
func (f *fake) Level(track int, level float64) error {
	return f.ask(fmt.Sprintf("level %d %g", track, level))
}

func (f *fake) did() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.asked, ", ")
}

func serve(t *testing.T, address string) (*ui.Server, *fake) {
	t.Helper()
	f := &fake{}
	s, err := ui.Listen(t.Context(), ui.Options{Address: address, Content: f, Run: f, Policy: "default-src 'none'"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s, f
}

// base is the address without the token.
func base(t *testing.T, s *ui.Server) string {
	t.Helper()
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery = ""
	return u.String()
}

// A call is one request and the status it is to get.
type call struct {
	name, method, path, body string
	header                   map[string]string
	want                     int
}

// A reply is an answer that was read to its end.
type reply struct {
	header  http.Header
	cookies []*http.Cookie
	text    string
}

func do(t *testing.T, client *http.Client, at string, c call) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), c.method, at+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.header {
		if k == "Host" {
			r.Host = v
		}
		r.Header.Set(k, v)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	if answer.StatusCode != c.want {
		t.Errorf("%s: %s %s answers %d %q, want %d", c.name, c.method, c.path, answer.StatusCode, text, c.want)
	}
	return reply{answer.Header, answer.Cookies(), string(text)}
}

func TestLoopbackGuard(t *testing.T) {
	t.Parallel()
	s, f := serve(t, ":0")
	at := strings.TrimSuffix(base(t, s), "/")
	port := at[strings.LastIndex(at, ":"):]
	if s.URL() != at+"/" || !strings.HasPrefix(at, "http://127.0.0.1:") {
		t.Fatalf("%s: no host means loopback, without a token", s.URL())
	}
	const good, bad = `{"track":0,"level":5}`, `{"track":0,"level":6}`
	for _, c := range []call{
		{"page", "GET", "/", "", nil, 200},
		{"by name", "GET", "/", "", map[string]string{"Host": "localhost" + port}, 200},
		{"through a tunnel", "GET", "/", "", map[string]string{"Host": "localhost:9000"}, 200},
		{"other loopback address", "GET", "/", "", map[string]string{"Host": "127.7.7.7:1"}, 200},
		{"IPv6", "GET", "/", "", map[string]string{"Host": "[::1]" + port}, 200},
		{"rebound name", "GET", "/", "", map[string]string{"Host": "evil.example" + port}, 421},
		{"rebound name that begins well", "GET", "/events", "", map[string]string{"Host": "127.0.0.1.evil.example" + port}, 421},
		{"rebound name that ends well", "POST", "/stop", "{}", map[string]string{"Host": "evil.localhost" + port}, 421},
		{"another machine's address", "GET", "/", "", map[string]string{"Host": "192.0.2.1" + port}, 421},
		{"another page", "POST", "/level", bad, map[string]string{"Origin": "https://evil.example"}, 403},
		{"another port", "POST", "/level", bad, map[string]string{"Origin": "http://127.0.0.1:1"}, 403},
		{"no origin to speak of", "POST", "/level", bad, map[string]string{"Origin": "null"}, 403},
		{"as the browser says", "POST", "/level", bad, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"another port, as the browser says", "POST", "/level", bad, map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"a form", "POST", "/level", bad, map[string]string{"Content-Type": "text/plain"}, 415},
		{"own page", "POST", "/level", good, map[string]string{"Origin": at, "Sec-Fetch-Site": "same-origin"}, 204},
		{"a script", "POST", "/stop", "{}", nil, 204},
		{"start", "POST", "/start", "{}", nil, 204},
		{"no level", "POST", "/level", `{"track":1}`, nil, 409},
		{"not JSON", "POST", "/level", `level=5`, nil, 400},
		{"unknown key", "POST", "/level", `{"track":0,"level":5,"x":1}`, nil, 400},
		{"too long", "POST", "/level", `{"track":` + strings.Repeat(" ", 2000) + `0}`, nil, 400},
		{"stop by a link", "GET", "/stop", "", nil, 405},
		{"elsewhere", "GET", "/etc/passwd", "", nil, 404},
		{"too early", "GET", "/report", "", nil, 404},
	} {
		answer := do(t, http.DefaultClient, at, c)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := answer.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", c.name, name, got, want)
			}
		}
		if got := answer.header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: other pages may read it: %s", c.name, got)
		}
	}
	if got, want := f.did(), "level 0 5, stop, start"; got != want {
		t.Errorf("the run was asked for %q, want %q", got, want)
	}
}

// anyAddress is every address of this machine, which is not loopback.
const anyAddress = "0.0.0.0:0"

func TestTokenGuard(t *testing.T) {
	t.Parallel()
	s, f := serve(t, anyAddress)
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	token := u.Query().Get("token")
	if len(token) < 26 { // 128 bits in base 32
		t.Fatalf("token %q is short", token)
	}
	at := "http://127.0.0.1:" + u.Port()
	bare := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, c := range []call{
		{"nothing", "GET", "/", "", nil, 401},
		{"wrong", "GET", "/?token=" + strings.Repeat("A", len(token)), "", nil, 401},
		{"empty", "GET", "/?token=", "", nil, 401},
		{"half", "GET", "/?token=" + token[:13], "", nil, 401},
		{"only the page takes it in the address", "GET", "/events?token=" + token, "", nil, 401},
		{"events", "GET", "/events", "", nil, 401},
		{"report", "GET", "/report", "", nil, 401},
		{"stop", "POST", "/stop?token=" + token, "{}", nil, 401},
		{"wrong cookie", "POST", "/stop", "{}", map[string]string{"Cookie": "loadline-" + u.Port() + "=x"}, 401},
		{"wrong bearer", "POST", "/stop", "{}", map[string]string{"Authorization": "Bearer x"}, 401},
		{"basic", "POST", "/stop", "{}", map[string]string{"Authorization": "Basic " + token}, 401},
		{"a script", "POST", "/stop", "{}", map[string]string{"Authorization": "Bearer " + token}, 204},
		{"another page with the token", "POST", "/stop", "{}", map[string]string{"Authorization": "Bearer " + token, "Origin": "http://evil.example"}, 403},
	} {
		do(t, bare, at, c)
	}
	if got := f.did(); got != "stop" {
		t.Errorf("the run was asked for %q, want one stop", got)
	}

	answer := do(t, bare, at, call{"the address that was printed", "GET", "/?token=" + token, "", nil, 303})
	if got := answer.header.Get("Location"); got != "/" {
		t.Errorf("it leads to %q: the token is to leave the address", got)
	}
	cookie := answer.cookies[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is open to scripts or other pages: %+v", cookie)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	do(t, browser, at, call{"a browser", "GET", "/?token=" + token, "", nil, 200})
	do(t, browser, at, call{"and again, by its cookie", "GET", "/", "", nil, 200})
	do(t, browser, at, call{"it may act", "POST", "/stop", "{}", map[string]string{"Origin": at}, 204})
}

func TestTwoServersHaveTwoTokens(t *testing.T) {
	t.Parallel()
	a, _ := serve(t, anyAddress)
	b, _ := serve(t, anyAddress)
	one, _ := url.Parse(a.URL())
	two, _ := url.Parse(b.URL())
	if one.Query().Get("token") == two.Query().Get("token") {
		t.Error("the token is always the same")
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"8089", "nonsense", "127.0.0.1", ":70000", "", "192.0.2.1:0"} {
		if s, err := ui.Listen(t.Context(), ui.Options{Address: address}); err == nil {
			t.Errorf("%q is taken, as %s", address, s.URL())
			_ = s.Close()
		}
	}
	s, _ := serve(t, "localhost:0")
	if strings.Contains(s.URL(), "token") {
		t.Errorf("%s: localhost needs no token", s.URL())
	}
	taken := strings.TrimSuffix(strings.TrimPrefix(base(t, s), "http://"), "/")
	if _, err := ui.Listen(t.Context(), ui.Options{Address: taken}); err == nil || !strings.Contains(err.Error(), ":0") {
		t.Errorf("a port that is in use: %v", err)
	}
}

// A reader is a browser's EventSource.
type reader struct {
	t      *testing.T
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

func connect(t *testing.T, s *ui.Server) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base(t, s)+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = answer.Body.Close() })
	if got := answer.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("%d, %s", answer.StatusCode, got)
	}
	return &reader{t, bufio.NewScanner(answer.Body), cancel}
}

// next is the data of the next event of a kind.
func (r *reader) next() (kind, data string) {
	r.t.Helper()
	for r.lines.Scan() {
		line := r.lines.Text()
		if k, ok := strings.CutPrefix(line, "event: "); ok {
			kind = k
		}
		if d, ok := strings.CutPrefix(line, "data: "); ok {
			return kind, d
		}
	}
	return "end", ""
}

func TestEvents(t *testing.T) {
	t.Parallel()
	s, f := serve(t, ":0")
	readers := []*reader{connect(t, s), connect(t, s), connect(t, s)}
	for _, r := range readers {
		if kind, data := r.next(); kind != "frame" || data != `"\u003cb\u003estate\n0\u003c/b\u003e"` {
			t.Errorf("the first event is %s %s", kind, data)
		}
	}
	f.state.Store(1)
	s.Changed()
	for _, r := range readers {
		if kind, data := r.next(); kind != "frame" || !strings.Contains(data, `state\n1`) {
			t.Errorf("after a change: %s %s", kind, data)
		}
	}
	if made := f.frames.Load(); made > 4 {
		t.Errorf("%d frames were made for two states: readers are to share them", made)
	}
	late := connect(t, s)
	if _, data := late.next(); !strings.Contains(data, `state\n1`) {
		t.Errorf("who comes late sees %s", data)
	}
	late.cancel()

	var finishing sync.WaitGroup
	finishing.Go(func() { s.Finish([]byte("the report"), 5*time.Second) })
	for _, r := range readers {
		if kind, _ := r.next(); kind != "done" {
			t.Errorf("at the end there is a %s", kind)
		}
		answer := do(t, http.DefaultClient, base(t, s), call{"the report", "GET", "report", "", nil, 200})
		if answer.text != "the report" {
			t.Errorf("the report is %q", answer.text)
		}
	}
	finishing.Wait()
	after := do(t, http.DefaultClient, base(t, s), call{"the page, afterwards", "GET", "", "", nil, 200})
	if after.text != "the report" {
		t.Errorf("the page is then %q", after.text)
	}
}

// Nobody makes frames that nobody looks at.
func TestNoFramesForNobody(t *testing.T) {
	t.Parallel()
	s, f := serve(t, ":0")
	for range 100 {
		s.Changed()
	}
	s.Finish([]byte("report"), time.Hour) // nobody is waited for
	if made := f.frames.Load(); made != 0 {
		t.Errorf("%d frames were made", made)
	}
}

// A reader who takes nothing in holds up nobody, and is not waited for.
func TestStuckReader(t *testing.T) {
	t.Parallel()
	s, f := serve(t, ":0")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.Trim(strings.TrimPrefix(base(t, s), "http:"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	good := connect(t, s)
	good.next()
	start := time.Now()
	for i := range 2000 {
		f.state.Store(int64(i + 1))
		s.Changed()
	}
	for {
		kind, data := good.next()
		if kind != "frame" {
			t.Fatalf("%s %s before the newest", kind, data)
		}
		if strings.Contains(data, `state\n2000`) {
			break
		}
	}
	good.cancel()
	s.Finish([]byte("report"), 50*time.Millisecond)
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestTooManyReaders(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, ":0")
	for range 32 {
		connect(t, s).next()
	}
	do(t, http.DefaultClient, base(t, s), call{"one more", "GET", "events", "", nil, 503})
}

func TestRefusalIsShown(t *testing.T) {
	t.Parallel()
	s, f := serve(t, ":0")
	f.refuses = errors.New("900/s is beyond 80/s")
	answer := do(t, http.DefaultClient, base(t, s), call{"too much", "POST", "level", `{"level":900}`, nil, 409})
	if strings.TrimSpace(answer.text) != f.refuses.Error() {
		t.Errorf("the reader is told %q", answer.text)
	}
}

// Closing ends streams that are open.
func TestCloseEndsStreams(t *testing.T) {
	t.Parallel()
	f := &fake{}
	s, err := ui.Listen(t.Context(), ui.Options{Address: ":0", Content: f, Run: f})
	if err != nil {
		t.Fatal(err)
	}
	r := connect(t, s)
	r.next()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if kind, _ := r.next(); kind != "end" {
		t.Errorf("after the close there is a %s", kind)
	}
}
