package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"

	"golang.org/x/net/http/httpproxy"
)

func (c *Client) setProxy() error {
	switch c.opts.Proxy {
	case "", "off":
	case "env":
		env := c.opts.Env
		if env == nil {
			return errors.New("proxy \"env\" without an environment")
		}
		first := func(names ...string) string {
			for _, n := range names {
				if v := env(n); v != "" {
					return v
				}
			}
			return ""
		}
		c.proxy = (&httpproxy.Config{
			HTTPProxy:  first("HTTP_PROXY", "http_proxy"),
			HTTPSProxy: first("HTTPS_PROXY", "https_proxy"),
			NoProxy:    first("NO_PROXY", "no_proxy"),
			// HTTP_PROXY can be set from outside by a request header there
			// (https://httpoxy.org).
			CGI: env("REQUEST_METHOD") != "",
		}).ProxyFunc()
	default:
		u, err := url.Parse(c.opts.Proxy)
		if err != nil {
			return fmt.Errorf("proxy: %w", err)
		}
		if err := checkProxy(u); err != nil {
			return err
		}
		c.proxy = func(*url.URL) (*url.URL, error) { return u, nil }
	}
	return nil
}

// checkProxy says whether u is a proxy that a client can use.
func checkProxy(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("proxy %q: want http://host:port or https://host:port", u.Redacted())
	}
	return nil
}

// proxyFor returns the proxy for an origin, nil for none.
func (c *Client) proxyFor(scheme, host string) (*url.URL, error) {
	if c.proxy == nil {
		return nil, nil //nolint:nilnil // no proxy, as documented
	}
	proxy, err := c.proxy(&url.URL{Scheme: scheme, Host: host})
	if err == nil && proxy != nil {
		err = checkProxy(proxy)
	}
	if err != nil {
		return nil, fail(Connect, err, "%v", err)
	}
	return proxy, nil
}

// throughProxy readies a connection to a proxy for requests to cn's origin.
func (c *Client) throughProxy(cn *conn, proxy *url.URL) error {
	if proxy.Scheme == "https" {
		if err := c.handshake(cn, hostOnly(proxy.Host), nil); err != nil {
			return err
		}
	}
	auth := proxyAuth(proxy)
	if cn.scheme == "http" && !isTwo(c.opts.Version) {
		cn.form, cn.proxyAuth = formAbsolute, auth
		return nil
	}
	return tunnel(cn, withPort(cn.scheme, cn.host), auth)
}

// tunnel asks the proxy behind cn for a connection to target.
func tunnel(cn *conn, target, auth string) error {
	req := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if auth != "" {
		req += "Proxy-Authorization: " + auth + "\r\n"
	}
	if err := cn.send([]byte(req+"\r\n"), false); err != nil {
		return err
	}
	var r reader1
	r.reset(true, nil, 0)
	for first := true; r.part != atEnd; first = false {
		p, err := cn.read(first)
		if errors.Is(err, errTimeout) || errors.Is(err, errCancelled) {
			return err
		}
		if err != nil {
			return fail(Connect, err, "the proxy %s broke the connection when asked for %s: %v", cn.addr, target, bare(err))
		}
		rest, err := r.feed(p)
		if err != nil {
			return fail(Connect, err, "the proxy %s: %v", cn.addr, err)
		}
		if len(rest) > 0 {
			return fail(Connect, nil, "the proxy %s sent more than an answer when asked for %s", cn.addr, target)
		}
		cn.release()
	}
	if r.status/100 != 2 {
		hint := ""
		if r.status == 407 {
			hint = ": it wants a user and password in the proxy's URL"
		}
		return fail(Connect, nil, "the proxy %s answered %d when asked for %s%s", cn.addr, r.status, target, hint)
	}
	return nil
}

// proxyAuth is the value of Proxy-Authorization for the user in a proxy's URL.
func proxyAuth(proxy *url.URL) string {
	if proxy.User == nil {
		return ""
	}
	password, _ := proxy.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password))
}
