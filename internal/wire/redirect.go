package wire

import (
	"context"
	"net/url"
	"strings"
)

// chain sends req and follows redirects, as many as req allows. The last
// redirect that is not followed is the response.
func (s *Session) chain(ctx context.Context, req *Request, resp *Response) error {
	for left := req.Redirects; ; left-- {
		if err := s.roundTrip(ctx, req, resp); err != nil {
			return err
		}
		s.storeCookies(req, resp.Header)
		if left <= 0 || !isRedirect(resp.Status) {
			return s.decode(resp)
		}
		location := Get(resp.Header, "Location")
		if location == "" {
			return s.decode(resp)
		}
		next, err := redirect(req, resp.Status, strings.Clone(location))
		if err != nil {
			return err
		}
		if err := s.client.allowed(next.Scheme, next.Host); err != nil {
			return fail(Blocked, err, "redirect goes to %s, which is not the target: add it to target.allow_hosts", next.Host)
		}
		req = next
	}
}

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// Get returns the value of the first field of that name, in any case, or "".
func Get(header []Field, name string) string {
	for i := range header {
		if len(header[i].Name) == len(name) && strings.EqualFold(header[i].Name, name) {
			return header[i].Value
		}
	}
	return ""
}

// redirect returns the request that a redirect of req asks for. 307 and 308
// repeat it; after the others everything but HEAD becomes a GET without body,
// as in net/http and browsers.
func redirect(req *Request, status int, location string) (*Request, error) {
	base, err := url.Parse(req.Scheme + "://" + req.Host + req.Path)
	if err != nil {
		return nil, protocolf("the response redirects from %s, which is not a URL", quote(req.Host+req.Path))
	}
	to, err := base.Parse(location)
	if err != nil {
		return nil, protocolf("the response redirects to %s, which is not a URL", quote(location))
	}
	if to.Scheme != "http" && to.Scheme != "https" || to.Host == "" {
		return nil, protocolf("the response redirects to %s, which is no http or https address", quote(location))
	}
	next := &Request{
		Method: req.Method, Scheme: to.Scheme, Host: to.Host, Path: to.RequestURI(), Header: req.Header, Body: req.Body,
		KeepBody: req.KeepBody,
	}
	var gone []string
	if status < 307 && method(req) != "GET" {
		if req.Method != "HEAD" {
			next.Method = "GET"
		}
		next.Body = nil
		gone = append(gone, "Content-Type", "Content-Encoding", "Content-Language", "Content-Location")
	}
	if !sameHost(base, to) {
		gone = append(gone, "Authorization", "Proxy-Authorization", "Cookie", "Host")
	}
	if len(gone) > 0 {
		next.Header = without(req.Header, gone)
	}
	return next, nil
}

// sameHost says whether credentials for one URL may go to another: the same
// host and port, and never from TLS to plain. An upgrade to TLS with the ports
// that these have by default counts as the same.
func sameHost(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) || from.Scheme == "https" && to.Scheme == "http" {
		return false
	}
	if from.Scheme != to.Scheme {
		return (from.Port() == "" || from.Port() == "80") && (to.Port() == "" || to.Port() == "443")
	}
	return strings.EqualFold(withPort(from.Scheme, from.Host), withPort(to.Scheme, to.Host))
}

// without returns header without the fields named in gone.
func without(header []Field, gone []string) []Field {
	var left []Field
next:
	for _, f := range header {
		for _, name := range gone {
			if strings.EqualFold(f.Name, name) {
				continue next
			}
		}
		left = append(left, f)
	}
	return left
}
