package wire

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of a jar. Browsers keep some 180 cookies of 4 KiB for a host; a target
// must not fill the memory of ten thousand users.
const (
	maxCookies     = 180
	maxCookieBytes = 4096
)

// A jar is the cookies of one user (RFC 6265). It is an own one as that of
// net/http costs a kilobyte for each user before its first cookie. Cookies are
// few, so they stand in one slice, in the order in which they are sent.
type jar struct {
	some    atomic.Bool // there may be cookies: spares the lock of users that have none
	mu      sync.Mutex
	cookies []cookie
}

type cookie struct {
	name, value  string
	domain, path string
	exact        bool // for domain only, not for hosts below it
	secure       bool
	expires      time.Time // zero: never
}

func (j *jar) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cookies = nil
	j.some.Store(false)
}

// storeCookies keeps the cookies that came with a response to req.
func (s *Session) storeCookies(req *Request, header []Field) {
	if s.client.opts.Cookies == "off" {
		return
	}
	for _, f := range header {
		if len(f.Name) != len("Set-Cookie") || !strings.EqualFold(f.Name, "Set-Cookie") || len(f.Value) > maxCookieBytes {
			continue
		}
		c, err := http.ParseSetCookie(strings.Clone(f.Value))
		if err != nil {
			continue // as browsers do
		}
		if s.jar == nil {
			s.jar = new(jar)
		}
		s.jar.set(c, strings.ToLower(hostOnly(req.Host)), req.Path, time.Now())
	}
}

// set takes a cookie from host, in answer to a request for path.
func (j *jar) set(c *http.Cookie, host, path string, at time.Time) {
	k := cookie{name: c.Name, value: c.Value, domain: host, path: c.Path, exact: true, secure: c.Secure, expires: c.Expires}
	if c.Quoted {
		k.value = `"` + c.Value + `"`
	}
	if d := strings.ToLower(strings.TrimPrefix(c.Domain, ".")); d != "" && d != host {
		// Without a dot it is a top level: a cookie for all of the world.
		if !strings.Contains(d, ".") || !below(host, d) {
			return
		}
		k.domain, k.exact = d, false
	} else if d != "" {
		k.exact = isIP(host) || !strings.Contains(host, ".")
	}
	if !strings.HasPrefix(k.path, "/") {
		k.path = defaultPath(path)
	}
	if c.MaxAge > 0 {
		k.expires = at.Add(time.Duration(c.MaxAge) * time.Second)
	}
	over := c.MaxAge < 0 || !k.expires.IsZero() && !k.expires.After(at)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.put(k, over)
	j.some.Store(len(j.cookies) > 0)
}

// put replaces, adds or removes a cookie. Longer paths stand first, then older
// cookies (RFC 6265 5.4).
func (j *jar) put(k cookie, over bool) {
	at := len(j.cookies)
	for i, have := range j.cookies {
		if have.name == k.name && have.domain == k.domain && have.path == k.path {
			if over {
				j.cookies = append(j.cookies[:i], j.cookies[i+1:]...)
			} else {
				j.cookies[i] = k
			}
			return
		}
		if len(have.path) < len(k.path) && i < at {
			at = i
		}
	}
	if over || len(j.cookies) == maxCookies {
		return
	}
	j.cookies = append(j.cookies, cookie{})
	copy(j.cookies[at+1:], j.cookies[at:])
	j.cookies[at] = k
}

// appendTo appends the cookies for a request as "a=1; b=2".
func (j *jar) appendTo(b []byte, scheme, host, path string) []byte {
	host = strings.ToLower(hostOnly(host))
	path, _, _ = strings.Cut(path, "?")
	j.mu.Lock()
	defer j.mu.Unlock()
	var at time.Time
	first := true
	for _, k := range j.cookies {
		if k.secure && scheme != "https" || !pathMatch(path, k.path) ||
			host != k.domain && (k.exact || !below(host, k.domain)) {
			continue
		}
		if !k.expires.IsZero() {
			if at.IsZero() {
				at = time.Now()
			}
			if !k.expires.After(at) {
				continue
			}
		}
		if !first {
			b = append(b, "; "...)
		}
		first = false
		b = append(b, k.name...)
		b = append(b, '=')
		b = append(b, k.value...)
	}
	return b
}

// below says whether host is a subdomain of domain.
func below(host, domain string) bool {
	n := len(host) - len(domain)
	return n > 0 && host[n-1] == '.' && host[n:] == domain && !isIP(host)
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// pathMatch is path-match of RFC 6265 5.1.4.
func pathMatch(path, of string) bool {
	return strings.HasPrefix(path, of) && (len(path) == len(of) || of[len(of)-1] == '/' || path[len(of)] == '/')
}

// defaultPath is default-path of RFC 6265 5.1.4.
func defaultPath(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return strings.Clone(path[:i])
	}
	return "/"
}

// cookies returns what the jar has for req, for a Cookie field; valid until the
// next call.
func (s *Session) cookies(req *Request) []byte {
	if s.jar == nil || !s.jar.some.Load() {
		return nil
	}
	s.cookieBuf = s.jar.appendTo(s.cookieBuf[:0], req.Scheme, req.Host, req.Path)
	return s.cookieBuf
}

// withCookies returns an encoded request with the cookies of the jar.
func (s *Session) withCookies(req *Request, e *encoded) []byte {
	line := s.cookies(req)
	if len(line) == 0 {
		return e.bytes
	}
	b := s.out[:0]
	if e.hasCookie {
		b = append(b, e.bytes[:e.headLen-len("\r\n\r\n")]...)
		b = append(b, "; "...)
	} else {
		b = append(b, e.bytes[:e.headLen-len("\r\n")]...)
		b = append(b, "Cookie: "...)
	}
	b = append(b, line...)
	b = append(b, "\r\n\r\n"...)
	s.out = append(b, e.bytes[e.headLen:]...)
	return s.out
}
