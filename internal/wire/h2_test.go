package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func server2(t testing.TB, plain bool, h http.HandlerFunc) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
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

func TestTwo(t *testing.T) {
	for _, plain := range []bool{true, false} {
		t.Run(fmt.Sprint(plain), func(t *testing.T) {
			srv := server2(t, plain, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				w.Header().Set("X-Proto", r.Proto)
				fmt.Fprintf(w, "%s %s %d", r.Method, r.URL, len(b))
			})
			o := Options{TLS: TLSOptions{Insecure: true}, UserAgent: "x"}
			if plain {
				o.Version = "h2c"
			}
			s := newSession(t, o)
			var resp Response
			req := to(srv.URL + "/a?b=c")
			req.KeepBody = true
			for i := range 3 {
				s.Do(t.Context(), req, &resp)
				if resp.Err != nil || string(resp.Body) != "GET /a?b=c 0" || resp.Reused != (i > 0) {
					t.Fatalf("%+v %q", resp, resp.Body)
				}
			}
			req.Method, req.Body = "POST", bytes.Repeat([]byte("x"), 10<<20)
			req.Changed()
			s.Do(t.Context(), req, &resp)
			t.Logf("%+v %s", resp, resp.Body)
			t.Log(testing.AllocsPerRun(100, func() { s.Do(t.Context(), to(srv.URL+"/"), &resp) }))
		})
	}
}
