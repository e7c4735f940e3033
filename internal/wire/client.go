package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Defaults of Options.
const (
	DefaultTimeout        = 30 * time.Second
	DefaultConnectTimeout = 10 * time.Second
	DefaultBodyLimit      = 1 << 20
)

// Options are the settings that all users of a target share. The zero value
// works.
type Options struct {
	Timeout        time.Duration // for a whole request, redirects included; 0: DefaultTimeout
	ConnectTimeout time.Duration // for lookup, connect, proxy and handshake together; 0: DefaultConnectTimeout

	Version       string // "auto" (HTTP/2 where TLS agrees on it), "1.1", "2" or "h2c"; "": auto
	NoKeepAlive   bool   // a new connection for each request
	NoCompression bool   // do not ask for gzip
	UserAgent     string // "": none is sent, unless the request has one
	BodyLimit     int64  // bytes of a body that are kept, after decoding; 0: DefaultBodyLimit
	Cookies       string // "user" (until Renew), "iteration" (until NewIteration) or "off"; "": user

	Shared         bool // all sessions take connections from one pool, instead of each having its own
	MaxConnections int  // of the pool, for each origin; 0: no limit

	Hosts   []string          // host or host:port that may be reached; without a port: any port; empty: all
	Resolve map[string]string // "host:port" to the "address:port" to connect to instead
	IP      string            // "any", "4" or "6"; "": any

	Proxy string              // "env", "off" or a URL; "": off
	Env   func(string) string // looks up environment variables, for Proxy "env"

	TLS TLSOptions
}

// TLSOptions are the settings of TLS connections.
type TLSOptions struct {
	CA         []byte // PEM certificates to trust instead of the system's; nil: the system's
	Cert, Key  []byte // PEM certificate chain and key that the client shows; both or none
	ServerName string // to ask and check for, instead of the URL's host
	MinVersion string // "1.2" or "1.3"; "": 1.2
	Insecure   bool   // accept any certificate
}

// A Client makes sessions that share settings and, if asked to, connections.
// It is safe for concurrent use.
type Client struct {
	opts   Options
	tls    *tls.Config                      // without ServerName and NextProtos
	proxy  func(*url.URL) (*url.URL, error) // nil: none
	hosts  map[string]bool                  // nil: all
	family string                           // "ip", "ip4" or "ip6"
	names  names
	pool   *pool // nil: connections per session
	source loopbackSource
}

// NewClient checks opts and makes a client of them.
func NewClient(opts Options) (*Client, error) {
	if opts.Timeout == 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.ConnectTimeout == 0 {
		opts.ConnectTimeout = DefaultConnectTimeout
	}
	if opts.BodyLimit == 0 {
		opts.BodyLimit = DefaultBodyLimit
	}
	c := &Client{opts: opts}
	if err := oneOf("HTTP version", opts.Version, "", "auto", "1.1", "2", "h2c"); err != nil {
		return nil, err
	}
	if err := oneOf("life of cookies", opts.Cookies, "", "user", "iteration", "off"); err != nil {
		return nil, err
	}
	if err := oneOf("IP version", opts.IP, "", "any", "4", "6"); err != nil {
		return nil, err
	}
	c.family = "ip" + strings.TrimPrefix(opts.IP, "any")
	for _, h := range opts.Hosts {
		if c.hosts == nil {
			c.hosts = make(map[string]bool)
		}
		c.hosts[strings.ToLower(h)] = true
	}
	if opts.Shared {
		c.pool = newPool(opts.MaxConnections)
	}
	for from, to := range opts.Resolve {
		if _, _, err := net.SplitHostPort(to); err != nil {
			return nil, fmt.Errorf("address %q for %s: want address:port", to, from)
		}
	}
	if err := c.setProxy(); err != nil {
		return nil, err
	}
	if err := c.setTLS(); err != nil {
		return nil, err
	}
	return c, nil
}

func oneOf(what, got string, want ...string) error {
	if slices.Contains(want, got) {
		return nil
	}
	return fmt.Errorf("%s %q: want one of %s", what, got, strings.Join(want[1:], ", "))
}

func (c *Client) setTLS() error {
	o := c.opts.TLS
	c.tls = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: o.Insecure,
	}
	switch o.MinVersion {
	case "", "1.2":
	case "1.3":
		c.tls.MinVersion = tls.VersionTLS13
	default:
		return fmt.Errorf("TLS version %q: want 1.2 or 1.3", o.MinVersion)
	}
	if o.CA != nil {
		c.tls.RootCAs = x509.NewCertPool()
		if !c.tls.RootCAs.AppendCertsFromPEM(o.CA) {
			return errors.New("TLS authorities: no PEM certificate in the file")
		}
	}
	if (o.Cert == nil) != (o.Key == nil) {
		return errors.New("TLS client certificate: certificate and key go together")
	}
	if o.Cert != nil {
		pair, err := tls.X509KeyPair(o.Cert, o.Key)
		if err != nil {
			return fmt.Errorf("TLS client certificate: %w", err)
		}
		c.tls.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// allowed returns an error of Kind Blocked unless the client may send to host.
func (c *Client) allowed(scheme, host string) error {
	if c.hosts == nil {
		return nil
	}
	lower := strings.ToLower(host)
	if c.hosts[lower] || c.hosts[hostOnly(lower)] || c.hosts[withPort(scheme, lower)] {
		return nil
	}
	return fail(Blocked, nil, "request goes to %s, which is not the target: add it to target.allow_hosts", host)
}

// hostOnly is host without its port, and without the brackets of an IPv6
// address.
func hostOnly(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

// withPort is host with the port of scheme, if it has none.
func withPort(scheme, host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := "80"
	if scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

// Close closes the connections of the pool that are idle. Sessions close their
// own.
func (c *Client) Close() {
	if c.pool != nil {
		c.pool.close()
	}
}
