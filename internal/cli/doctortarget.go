package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
)

const (
	// slowName is when looking up a name is worth a word: each new connection
	// pays for it.
	slowName = 50 * time.Millisecond
	// certDays is how long a certificate should last yet.
	certDays = 14 * 24 * time.Hour
	// dialTime bounds each of the steps below.
	dialTime = 10 * time.Second
)

// target looks up, connects to and greets the target, then waits for it as a run
// would. It sends what [target.ready] says and nothing else.
func (d *doctor) target(ctx context.Context, env *Env, s *spec.Spec, hide mask) {
	u, err := url.Parse(s.Target.URL)
	if err != nil || u.Host == "" {
		d.bad("target", "set target.url, or --target", "the spec names no target")
		return
	}
	if s.HTTP.Proxy == "off" || env.get("HTTP_PROXY")+env.get("HTTPS_PROXY")+env.get("http_proxy")+env.get("https_proxy") == "" {
		d.phases(ctx, u)
	}
	set, done, err := compile(env, s, nil, hide)
	if err != nil {
		d.bad("target", "", "%v", err)
		return
	}
	defer done()
	if r := s.Target.Ready; r != nil {
		r.Timeout = min(r.Timeout, dialTime) // it is there now, or it is not
	}
	began := time.Now()
	if err := set.Ready(ctx); err != nil {
		d.bad("target", "", "%v", err)
		return
	}
	d.ok("target", "%s is ready, after %s", bareURL(s.Target.URL), unit.Duration(time.Since(began)))
}

// phases times name, connection and TLS. What fails is said by Ready as well, in
// the words that a run would use, so only what is odd is said here.
func (d *doctor) phases(ctx context.Context, u *url.URL) {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	limited, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	began := time.Now()
	addresses, err := net.DefaultResolver.LookupHost(limited, u.Hostname())
	if err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			d.bad("target", "correct target.url (--target), or wait until its name is known here", "the name %s cannot be found", u.Hostname())
		}
		return
	}
	if took := time.Since(began); took > slowName {
		d.warn("target", "use an address, or [http] resolve, when new connections are part of what is measured", "looking up %s took %s", u.Hostname(), unit.Duration(took))
	}
	began = time.Now()
	conn, err := (&net.Dialer{}).DialContext(limited, "tcp", net.JoinHostPort(addresses[0], port))
	if err != nil {
		return
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	d.ok("target", "a connection to %s takes %s", net.JoinHostPort(addresses[0], port), unit.Duration(time.Since(began)))
	if u.Scheme == "https" {
		d.tls(limited, conn, u.Hostname())
	}
}

// tls greets the target and looks at its certificate. Whether to trust it is for
// Ready to say, which knows the spec's own authorities.
func (d *doctor) tls(ctx context.Context, conn net.Conn, host string) {
	client := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true}) //nolint:gosec // nothing is sent
	began := time.Now()
	if err := client.HandshakeContext(ctx); err != nil {
		return
	}
	state := client.ConnectionState()
	d.ok("target", "TLS takes %s (%s)", unit.Duration(time.Since(began)), tls.VersionName(state.Version))
	if end := state.PeerCertificates[0].NotAfter; time.Until(end) < certDays {
		ends := "ends"
		if !end.After(time.Now()) {
			ends = "ended"
		}
		d.warn("target", "renew it", "its certificate %s on %s", ends, end.UTC().Format("2006-01-02"))
	}
}
