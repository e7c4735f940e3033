package wiretest

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"testing"
)

// A Toxiproxy is a proxy that spoils connections as it is told.
// https://github.com/Shopify/toxiproxy
type Toxiproxy struct{ api string }

// StartToxiproxy starts one, as Program does.
func StartToxiproxy(t testing.TB) *Toxiproxy {
	t.Helper()
	p := &Toxiproxy{api: Free(t)}
	host, port, err := net.SplitHostPort(p.api)
	if err != nil {
		t.Fatal(err)
	}
	Program(t, p.api, "toxiproxy-server", "-host", host, "-port", port)
	return p
}

// Spoil opens a way to upstream, an address, that has a toxic on what comes back,
// and returns the way's own address. name tells it from others.
func (p *Toxiproxy) Spoil(t testing.TB, name, upstream, toxic string, attributes map[string]any) (listen string) {
	t.Helper()
	listen = Free(t)
	p.call(t, "/proxies", map[string]any{"name": name, "listen": listen, "upstream": upstream, "enabled": true})
	p.call(t, "/proxies/"+name+"/toxics", map[string]any{"type": toxic, "stream": "downstream", "attributes": attributes})
	return listen
}

func (p *Toxiproxy) call(t testing.TB, path string, body map[string]any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.api+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("toxiproxy: %s: %s", path, resp.Status)
	}
}
