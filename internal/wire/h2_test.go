package wire

import (
	"net/http"
	"net/http/httptest"
	"testing"
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
