package scenario

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// TestRequests sends one step and looks at what goes out.
func TestRequests(t *testing.T) {
	t.Parallel()
	pair := func(name, value string) spec.Pair { return spec.Pair{Name: name, Value: tmpl(t, value)} }
	tests := []struct {
		name   string
		step   *spec.Step
		set    func(s *spec.Spec)
		want   string   // "METHOD URL"
		header []string // in order
		body   string
	}{
		{
			name: "plain",
			step: newStep(t, "GET /users"),
			want: "GET http://api.test/users",
		},
		{
			name: "below the prefix of the target",
			step: newStep(t, "GET /users?a=b"),
			set:  func(s *spec.Spec) { s.Target.URL = "https://api.test:8443/v1" },
			want: "GET https://api.test:8443/v1/users?a=b",
		},
		{
			name: "a path that begins like the prefix",
			step: newStep(t, "GET /v1/users#top"),
			set:  func(s *spec.Spec) { s.Target.URL = "https://api.test/v1" },
			want: "GET https://api.test/v1/v1/users",
		},
		{
			name: "a URL of its own",
			step: newStep(t, "GET https://CDN.test/x#fragment"),
			want: "GET https://cdn.test/x",
		},
		{
			name: "a host and no path",
			step: newStep(t, "GET https://cdn.test?q=1"),
			want: "GET https://cdn.test/?q=1",
		},
		{
			name: "a variable, a secret and a function in the path",
			step: newStep(t, "GET /{{ region }}/{{ pw }}/{{ random_int(3, 3) }}"),
			want: "GET http://api.test/eu/s3cret/3",
		},
		{
			name: "what may not stand in a path",
			step: newStep(t, "GET /{{ odd }}/{{ odd | urlencode }}"),
			want: "GET http://api.test/a%20b%22%C3%A9%0D%0A?c%23d/a%20b%22%C3%A9%0D%0A%3Fc%23d",
			set:  func(s *spec.Spec) { s.Vars["odd"] = "a b\"é\r\n?c#d" },
		},
		{
			name: "query, encoded, after that of the path",
			step: newStep(t, "GET /s?x=1", query("q", "a&b {{ region }}"), query("ids[]", "1"), query("ids[]", "{{ user.id }}")),
			want: "GET http://api.test/s?x=1&q=a%26b%20eu&ids%5B%5D=1&ids%5B%5D=1",
		},
		{
			name: "header: the step's own wins, without regard to case",
			step: newStep(t, "GET /", header("accept", "text/plain"), header("X-Id", "{{ user.id }}-{{ iteration }}")),
			set: func(s *spec.Spec) {
				s.HTTP.Headers = []spec.Pair{pair("Accept", "*/*"), pair("X-Region", "{{ region }}")}
			},
			want:   "GET http://api.test/",
			header: []string{"accept: text/plain", "X-Id: 1-0", "X-Region: eu"},
		},
		{
			name:   "json",
			step:   newStep(t, "POST /o", jsonBody(map[string]any{"qty": "{{ random_int(2, 2) }}", "who": "u{{ user.id }}", "n": int64(1)})),
			want:   "POST http://api.test/o",
			header: []string{"Content-Type: application/json"},
			body:   `{"n":1,"qty":2,"who":"u1"}`,
		},
		{
			name:   "json that is the same for every user",
			step:   newStep(t, "POST /o", jsonBody(map[string]any{"pw": "{{ pw }}"})),
			want:   "POST http://api.test/o",
			header: []string{"Content-Type: application/json"},
			body:   `{"pw":"s3cret"}`,
		},
		{
			name: "form",
			step: newStep(t, "POST /login", withBody(&spec.Body{
				Kind: "form", ContentType: "application/x-www-form-urlencoded",
				Form: []spec.Pair{pair("user", "a b&c"), pair("id", "{{ user.id }}/"), pair("p=w", "{{ pw }}")},
			})),
			want:   "POST http://api.test/login",
			header: []string{"Content-Type: application/x-www-form-urlencoded"},
			body:   "user=a%20b%26c&id=1%2F&p%3Dw=s3cret",
		},
		{
			name: "form that is the same for every user",
			step: newStep(t, "POST /login", withBody(&spec.Body{
				Kind: "form", ContentType: "application/x-www-form-urlencoded",
				Form: []spec.Pair{pair("p", "{{ pw }}"), pair("q", "1")},
			})),
			want:   "POST http://api.test/login",
			header: []string{"Content-Type: application/x-www-form-urlencoded"},
			body:   "p=s3cret&q=1",
		},
		{
			name:   "text, with a content type of its own",
			step:   newStep(t, "PUT /n", header("content-type", "text/x"), withBody(&spec.Body{Kind: "body", Text: tmpl(t, "hello {{ user.id }}"), ContentType: "text/plain"})),
			want:   "PUT http://api.test/n",
			header: []string{"content-type: text/x"},
			body:   "hello 1",
		},
		{
			name: "a file",
			step: newStep(t, "PUT /f", withBody(&spec.Body{Kind: "body_file", File: []byte("\x00{{ raw }}"), ContentType: "application/octet-stream"})),
			want: "PUT http://api.test/f", header: []string{"Content-Type: application/octet-stream"}, body: "\x00{{ raw }}",
		},
		{
			name: "basic auth",
			step: newStep(t, "GET /"),
			set: func(s *spec.Spec) {
				s.HTTP.Auth = spec.Auth{BasicUser: tmpl(t, "ci"), BasicPassword: tmpl(t, "{{ pw }}")}
			},
			want:   "GET http://api.test/",
			header: []string{"Authorization: Basic Y2k6czNjcmV0"},
		},
		{
			name: "basic auth by user",
			step: newStep(t, "GET /"),
			set: func(s *spec.Spec) {
				s.HTTP.Auth = spec.Auth{BasicUser: tmpl(t, "u{{ user.id }}"), BasicPassword: tmpl(t, "p")}
			},
			want:   "GET http://api.test/",
			header: []string{"Authorization: Basic dTE6cA=="},
		},
		{
			name:   "bearer, and a step that brings its own",
			step:   newStep(t, "GET /", header("authorization", "Own x")),
			set:    func(s *spec.Spec) { s.HTTP.Auth = spec.Auth{Bearer: tmpl(t, "{{ pw }}")} },
			want:   "GET http://api.test/",
			header: []string{"authorization: Own x"},
		},
		{
			name: "credentials do not leave the target's host",
			step: newStep(t, "GET https://cdn.test/x"),
			set:  func(s *spec.Spec) { s.HTTP.Auth = spec.Auth{Bearer: tmpl(t, "{{ pw }}")} },
			want: "GET https://cdn.test/x",
		},
		{
			name:   "bearer",
			step:   newStep(t, "GET /"),
			set:    func(s *spec.Spec) { s.HTTP.Auth = spec.Auth{Bearer: tmpl(t, "{{ pw }}")} },
			want:   "GET http://api.test/",
			header: []string{"Authorization: Bearer s3cret"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSpec(tt.step)
			s.Vars = map[string]any{"region": "eu"}
			s.Secrets = map[string]string{"pw": "s3cret"}
			if tt.set != nil {
				tt.set(s)
			}
			tg := &target{}
			for _, n := range []int{1, 2} { // the second time from what is kept
				iterate(t, s, tg, n)
				got := tg.requests()
				if got[0] != tt.want {
					t.Errorf("sent %q, want %q", got[0], tt.want)
				}
			}
			want := tt.header
			for i, h := range want {
				want[i] = strings.Replace(h, "1-0", "1-1", 1) // the last of two iterations
			}
			header, body := tg.last()
			if diff := cmp.Diff(header, want); diff != "" {
				t.Errorf("header (-got +want):\n%s", diff)
			}
			if body != tt.body {
				t.Errorf("body %q, want %q", body, tt.body)
			}
		})
	}
}

// FuzzLocate: whatever a value puts into a path, what goes out begins with / and
// has no character that would break the request.
func FuzzLocate(f *testing.F) {
	for _, s := range []string{"/a b", "http://h.test/x?y#z", "https://h.test?q", "/v1/x", "\r\nX: y", "é", ""} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, whole bool) {
		at, path := locate(origin{"http", "api.test", "/v1"}, text, whole)
		out := string(appendPath(nil, path, whole))
		if !strings.HasPrefix(out, "/") || strings.ContainsFunc(out, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
			t.Errorf("%q goes out as %q", text, out)
		}
		if at.host == "api.test" && at.prefix == "/v1" && !strings.HasPrefix(out, "/v1") {
			t.Errorf("%q goes out as %q, beside the prefix", text, out)
		}
	})
}

// TestLocationBelowPrefix: a captured Location has the target's prefix already.
func TestLocationBelowPrefix(t *testing.T) {
	t.Parallel()
	tests := []struct{ location, want string }{
		{"/v1/carts/7", "http://api.test/v1/carts/7/items"},
		{"/carts/7", "http://api.test/v1/carts/7/items"},
		{"/v12/carts/7", "http://api.test/v1/v12/carts/7/items"},
		{"http://api.test/v1/carts/7", "http://api.test/v1/carts/7/items"},
	}
	for _, tt := range tests {
		tg := &target{answer: func(*wire.Request) wire.Response {
			return wire.Response{Status: 200, Header: []wire.Field{{Name: "location", Value: tt.location}}}
		}}
		s := newSpec(newStep(t, "POST /carts", capture("cart", "header Location")), newStep(t, "GET {{ cart }}/items"))
		s.Target.URL = "http://api.test/v1"
		iterate(t, s, tg, 1)
		if got := tg.requests()[1]; got != "GET "+tt.want {
			t.Errorf("Location %s: %s, want GET %s", tt.location, got, tt.want)
		}
	}
}

// TestMultipart sends parts to a real server, which takes them apart.
func TestMultipart(t *testing.T) {
	t.Parallel()
	var parts guarded[[]string]
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var got []string
		defer func() { parts.set(got) }()
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		mr := multipart.NewReader(r.Body, params["boundary"])
		for {
			p, err := mr.NextPart()
			if err != nil {
				if err != io.EOF {
					got = append(got, err.Error())
				}
				return
			}
			content, _ := io.ReadAll(p)
			got = append(got, p.FormName()+"|"+p.FileName()+"|"+p.Header.Get("Content-Type")+"|"+string(content))
		}
	}))
	defer srv.Close()
	for _, title := range []string{"cat", "cat {{ user.id }}"} {
		s := newSpec(newStep(t, "POST /photos", withBody(&spec.Body{Kind: "multipart", ContentType: "multipart/form-data", Parts: []spec.Part{
			{Name: "title", Value: tmpl(t, title)},
			{Name: `the "image"`, FileName: "cat.jpg", Type: "image/jpeg", Content: []byte("\xff\xd8--loadline-6c6f6164\r\n")},
			{Name: "empty", FileName: "e.bin"},
		}})))
		s.Target.URL = srv.URL
		book := overWire(t, s)
		if len(book.samples) != 1 || book.samples[0].Failed {
			t.Fatalf("samples %+v", book.samples)
		}
		want := []string{
			"title||" + "|" + strings.Replace(title, "{{ user.id }}", "1", 1),
			"the %22image%22|cat.jpg|image/jpeg|\xff\xd8--loadline-6c6f6164\r\n",
			"empty|e.bin|application/octet-stream|",
		}
		if diff := cmp.Diff(parts.get(), want); diff != "" {
			t.Errorf("parts (-got +want):\n%s", diff)
		}
	}
}

// overWire runs one iteration over the real wire.
func overWire(t testing.TB, s *spec.Spec) *book {
	t.Helper()
	s.HTTP.KeepAlive, s.HTTP.Compression = true, true
	opts, err := WireOptions(s, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	client, err := wire.NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Compile(s, Sessions(client), Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &book{}
	u := set.newUser(0, b)
	u.Iterate(t.Context(), load.Iteration{})
	u.Close(t.Context())
	return b
}

// TestOverWire walks two steps over the real wire: a value of the first answer
// goes into the second request.
func TestOverWire(t *testing.T) {
	t.Parallel()
	var second guarded[string]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/token":
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "c1"})
			w.Header().Set("X-Multi", "a")
			w.Header().Add("X-Multi", "b")
			_, _ = io.WriteString(w, `{"access_token": "t\u00e9", "ids": [1, 2]}`)
		default:
			cookie, _ := r.Cookie("sid")
			second.set(r.Header.Get("Authorization") + " " + cookie.Value + " " + r.URL.String())
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer srv.Close()
	s := newSpec(
		newStep(t, "POST /token", capture("token", "$.access_token"), capture("ids", "$.ids"), capture("sid", "cookie sid"), capture("multi", "header x-multi"),
			check("json", "count($.ids) == 2"), check("slow", "latency > 1h")),
		newStep(t, "GET /me/{{ sid }}/{{ ids.1 }}", index(1), header("Authorization", "Bearer {{ token | urlencode }} {{ multi }}")),
	)
	s.Target.URL = srv.URL + "/v1"
	b := overWire(t, s)
	if want := "Bearer t%C3%A9 a, b c1 /v1/me/c1/2"; second.get() != want {
		t.Errorf("the second request: %q, want %q", second.get(), want)
	}
	if diff := cmp.Diff(b.checks, []string{"0 true", "1 false"}); diff != "" {
		t.Errorf("checks (-got +want):\n%s", diff)
	}
	if s := b.samples[1]; s.Status != 418 || !s.Failed || s.Step != 1 || s.Times.Done <= 0 {
		t.Errorf("the second sample: %+v", s)
	}
}

// TestHostileValues: what a target answers must not lead requests elsewhere, or
// put lines into them.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	var paths guarded[[]string]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths.set(append(paths.get(), r.URL.Path))
		if r.URL.Path == "/redirect" {
			w.Header().Set("Location", "http://127.0.0.2:9/elsewhere")
			w.WriteHeader(http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, `{"link":"http://127.0.0.2:9/x","lines":"a\r\nX-Evil: 1","path":"//127.0.0.2:9/x"}`)
	}))
	defer srv.Close()
	redirects := func(_ testing.TB, s *spec.Step) { s.Redirects = 2 }
	s := newSpec(
		newStep(t, "GET /", capture("link", "$.link"), capture("lines", "$.lines"), capture("path", "$.path")),
		newStep(t, "GET {{ link }}"),
		newStep(t, "GET /redirect", redirects),
		newStep(t, "GET /header", header("X-Value", "{{ lines }}")),
		newStep(t, "GET {{ path }}"),
		newStep(t, "GET /{{ lines }}"),
	)
	s.Target.URL = srv.URL
	b := overWire(t, s)
	var got []wire.Kind
	for _, sample := range b.samples {
		got = append(got, sample.Kind)
	}
	if diff := cmp.Diff(got, []wire.Kind{wire.None, wire.Blocked, wire.Blocked, wire.Protocol, wire.None, wire.None}); diff != "" {
		t.Errorf("what came of the requests (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(paths.get(), []string{"/", "/redirect", "//127.0.0.2:9/x", "/a\r\nX-Evil: 1"}); diff != "" {
		t.Errorf("what reached the server (-got +want):\n%s", diff)
	}
}
