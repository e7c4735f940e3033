package wire

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// set keeps one Set-Cookie line that a URL answered with.
func set(t *testing.T, j *jar, from, line string) {
	t.Helper()
	u, err := url.Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	c, err := http.ParseSetCookie(line)
	if err != nil {
		t.Fatal(err)
	}
	j.set(c, u.Hostname(), u.RequestURI(), time.Now())
}

// The jar sends what that of net/http sends.
func TestJarAgreesWithNetHTTP(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		theirs, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		var mine jar
		for _, c := range [][2]string{
			{"http://a.example/x/y", "plain=1"},
			{"http://a.example/x/y", "root=1; Path=/"},
			{"http://a.example/x/y", "sub=1; Path=/x/y/z"},
			{"http://a.example/", "domain=1; Domain=a.example"},
			{"http://a.example/", "dot=1; Domain=.a.example"},
			{"http://b.a.example/", "up=1; Domain=a.example; Path=/"},
			{"http://b.a.example/", "stranger=1; Domain=c.example"},
			{"http://a.example/", "down=1; Domain=b.a.example"},
			{"https://a.example/", "secure=1; Secure; Path=/"},
			{"http://a.example/", "short=1; Max-Age=10; Path=/"},
			{"http://a.example/", "gone=1; Path=/"},
			{"http://a.example/", "gone=1; Path=/; Max-Age=0"},
			{"http://a.example/", "past=1; Path=/; Expires=Mon, 01 Jan 1990 00:00:00 GMT"},
			{"http://a.example/", "future=1; Path=/; Expires=Mon, 01 Jan 2090 00:00:00 GMT"},
			{"http://a.example/", "again=1; Path=/"},
			{"http://a.example/", "again=2; Path=/"},
			{"http://a.example/", `quoted="a b"; Path=/`},
			{"http://a.example/", "odd=1; Path=x"},
			{"http://127.0.0.1/", "ip=1"},
			{"http://127.0.0.1/", "ip2=1; Domain=127.0.0.1"},
			{"http://localhost/", "local=1; Domain=localhost"},
		} {
			set(t, &mine, c[0], c[1])
			u, _ := url.Parse(c[0])
			parsed, _ := http.ParseSetCookie(c[1])
			theirs.SetCookies(u, []*http.Cookie{parsed})
			time.Sleep(time.Millisecond) // the order of two cookies is that of their making
		}
		for range 2 {
			for _, to := range []string{
				"http://a.example/", "http://a.example/x", "http://a.example/x/", "http://a.example/x/z?q=/x/y/z", "http://a.example/x/y/z/1",
				"http://a.example/xx", "https://a.example/", "http://b.a.example/", "http://c.b.a.example/", "http://xa.example/", "http://example/",
				"http://127.0.0.1/", "http://1.127.0.0.1/", "http://localhost:8080/", "http://x.localhost/", "http://A.EXAMPLE/",
			} {
				u, _ := url.Parse(to)
				r := &http.Request{Header: make(http.Header)}
				for _, c := range theirs.Cookies(u) {
					r.AddCookie(c)
				}
				want, got := r.Header.Get("Cookie"), string(mine.appendTo(nil, u.Scheme, u.Host, u.RequestURI()))
				if got != want {
					t.Errorf("%s:\ngot  %s\nwant %s", to, got, want)
				}
			}
			time.Sleep(time.Minute) // "short" is over
		}
	})
}

// A site must not set a cookie for a top level, nor fill the memory.
func TestJarLimits(t *testing.T) {
	t.Parallel()
	var j jar
	set(t, &j, "http://a.example/", "all=1; Domain=example")
	if got := j.appendTo(nil, "http", "b.example", "/"); len(got) > 0 {
		t.Errorf("a cookie for all of .example was sent: %s", got)
	}
	for i := range 2 * maxCookies {
		set(t, &j, "http://a.example/", fmt.Sprintf("c%d=1", i))
	}
	if got := strings.Count(string(j.appendTo(nil, "http", "a.example", "/")), "="); got != maxCookies {
		t.Errorf("%d cookies are kept, want %d", got, maxCookies)
	}
}

// visits answers with the cookies it got, and sets one that counts them.
func visits(w http.ResponseWriter, r *http.Request) {
	n := 0
	if c, err := r.Cookie("n"); err == nil {
		_, _ = fmt.Sscan(c.Value, &n)
	}
	http.SetCookie(w, &http.Cookie{Name: "n", Value: fmt.Sprint(n + 1)})
	_, _ = io.WriteString(w, r.Header.Get("Cookie"))
}

func TestCookiesOfASession(t *testing.T) {
	t.Parallel()
	for _, two := range []bool{false, true} {
		var srv *httptest.Server
		o := Options{}
		if two {
			srv = server2(t, true, visits)
			o.Version = "h2c"
		} else {
			srv = httptest.NewServer(http.HandlerFunc(visits))
			t.Cleanup(srv.Close)
		}
		for life, want := range map[string][]string{
			"user": {"", "n=1", "n=2", ""}, "iteration": {"", "n=1", "", ""}, "off": {"", "", "", ""},
		} {
			o.Cookies = life
			s := newSession(t, o)
			var got []string
			for i := range 4 {
				switch i {
				case 2:
					s.NewIteration()
				case 3:
					s.Renew()
				}
				resp := do(t, s, to(srv.URL+"/"))
				got = append(got, string(resp.Body))
				if resp.Reused != (i == 1 || i == 2) {
					t.Errorf("%s, request %d: reused %v", life, i, resp.Reused)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("HTTP/2 %v, %s: got %q, want %q", two, life, got, want)
			}
		}
		// Its own cookies come first, in one field, and the body is not lost.
		o.Cookies = ""
		s := newSession(t, o)
		req := to(srv.URL + "/")
		req.Method, req.Body, req.Header = "POST", []byte("hello"), []Field{{"Cookie", "own=1"}}
		do(t, s, req)
		if resp := do(t, s, req); string(resp.Body) != "own=1; n=1" {
			t.Errorf("HTTP/2 %v: got %q, want own=1; n=1", two, resp.Body)
		}
	}
}

// Steps side by side share the cookies of their user.
func TestSiblings(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(visits))
	t.Cleanup(srv.Close)
	s := newSession(t, Options{})
	a, b := s.Sibling(), s.Sibling()
	do(t, a, to(srv.URL+"/"))
	if resp := do(t, s, to(srv.URL+"/")); string(resp.Body) != "n=1" {
		t.Errorf("got %q, want n=1", resp.Body)
	}
	var wg sync.WaitGroup
	for _, m := range []*Session{a, b} {
		wg.Go(func() {
			for range 20 {
				var resp Response
				m.Do(t.Context(), to(srv.URL+"/"), &resp)
				if resp.Err != nil || !strings.HasPrefix(string(resp.Body), "n=") {
					t.Errorf("got %q, %v", resp.Body, resp.Err)
				}
			}
		})
	}
	wg.Wait()
	s.Renew()
	if resp := do(t, b, to(srv.URL+"/")); resp.Reused || len(resp.Body) > 0 {
		t.Errorf("after Renew a sibling has cookies %q, reused %v", resp.Body, resp.Reused)
	}
}
