package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A target is a program that base and head are two deployments of.
type target struct {
	name   string
	routes []string
	slowed []string // routes that can be made slower
	// start is the command that brings it up at an address, with one route slower
	// by so many percent, or none.
	start func(dir, addr, route string, percent float64) (string, error)
	// own is the time that a route itself takes, of which it is made slower.
	own func(route string) time.Duration
}

// spec drives all routes of the target, one after the other.
func (t target) spec(rate string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name = %q\n[target]\nurl = \"http://127.0.0.1:1\"\n[load]\nrate = %q\nduration = \"1m\"\n", t.name, rate)
	b.WriteString("[gate]\ncompare = [\"latency.p50 within 5%\", \"latency.p95 within 5%\", \"errors within 0.5pp\"]\n[[scenario]]\nname = \"walk\"\n")
	for _, r := range t.routes {
		fmt.Fprintf(&b, "  [[scenario.step]]\n  request = \"GET %s\"\n", r)
	}
	return b.String()
}

// ownService is this program's own small service.
func ownService(c *campaign) target {
	return target{
		name:   "service",
		routes: []string{"/cpu", "/json", "/sleep", "/mixed"},
		slowed: []string{"/cpu", "/json", "/sleep"},
		start: func(_, addr, route string, percent float64) (string, error) {
			cmd := fmt.Sprintf("exec '%s' serve -addr %s", c.self, addr)
			if percent > 0 {
				cmd += fmt.Sprintf(" -slow '%s=+%g%%'", route, percent)
			}
			return cmd, nil
		},
		own: func(route string) time.Duration { return work[route].own() },
	}
}

const delay = 0.02 // seconds, of go-httpbin's /delay

// httpbin is go-httpbin behind nginx, which nobody here wrote. nginx asks it for
// a longer delay where the head is to be slower, and is there on both sides.
func httpbin(c *campaign) target {
	route := fmt.Sprintf("/delay/%g", delay)
	return target{
		name:   "go-httpbin",
		routes: []string{"/get", "/json", "/base64/bG9hZGxpbmU=", route},
		slowed: []string{route},
		start: func(dir, addr, slow string, percent float64) (string, error) {
			behind, err := freeAddr()
			if err != nil {
				return "", err
			}
			rewrite := ""
			if percent > 0 {
				rewrite = fmt.Sprintf("location = %s { proxy_pass http://app/delay/%g; }", slow, delay*(1+percent/100))
			}
			conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/nginx.pid; error_log stderr crit;
events { worker_connections 2000; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 300;
client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
proxy_http_version 1.1; proxy_set_header Connection "";
upstream app { server %[3]s; keepalive 256; keepalive_requests 1000000000; }
server { listen %[2]s; %[4]s location / { proxy_pass http://app; } }
}
`, dir, addr, behind, rewrite)
			file := filepath.Join(dir, "nginx.conf")
			if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
				return "", err
			}
			host, port, err := net.SplitHostPort(behind)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("'%s' -host %s -port %s -log-level ERROR & exec '%s' -c '%s' -p '%s'", c.httpbin, host, port, c.nginx, file, dir), nil
		},
		own: func(string) time.Duration { return time.Duration(delay * float64(time.Second)) },
	}
}

// freeAddr is an address on loopback that nothing listens at.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
