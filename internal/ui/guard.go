package ui

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// newToken is 128 random bits in letters that need no escaping.
func newToken() string { return rand.Text() }

// guard lets in who may be let in.
//
// On loopback there is no token. A page of another origin may then try two
// things: to have its own name point at 127.0.0.1 (DNS rebinding), which the
// Host header gives away, and to send requests here without reading the answer,
// which the browser marks as coming from another origin. Elsewhere every request
// must carry the token, which no other page knows.
func (s *Server) guard(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(refuse(http.StatusForbidden, "this comes from another page"))
	next = sameOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", s.opt.Policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer") // the token may stand in the address
		h.Set("Cache-Control", "no-store")
		switch {
		case s.token == "" && !loopbackName(r.Host):
			refuse(http.StatusMisdirectedRequest, "this page answers to localhost and to loopback addresses only")(w, r)
		case s.token == "" || s.known(r):
			next.ServeHTTP(w, r)
		case r.Method == http.MethodGet && r.URL.Path == "/" && s.is(r.URL.Query().Get("token")):
			// From now on the cookie speaks, and the address is clean.
			http.SetCookie(w, &http.Cookie{
				Name: s.cookie, Value: s.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
				Secure: r.TLS != nil,
			})
			http.Redirect(w, r, "/", http.StatusSeeOther)
		default:
			refuse(http.StatusUnauthorized, "open the address that loadline printed: it has the token")(w, r)
		}
	})
}

func refuse(status int, why string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, why, status) }
}

// known reports whether a request brings the token.
func (s *Server) known(r *http.Request) bool {
	if c, err := r.Cookie(s.cookie); err == nil && s.is(c.Value) {
		return true
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && s.is(token)
}

// is compares in a time that tells nothing of where the texts differ.
func (s *Server) is(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) == 1
}

// loopbackName reports whether a Host header names this machine in a way that no
// name server can answer for. The port may be another: that of an SSH tunnel.
func loopbackName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}
