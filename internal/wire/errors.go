package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// A failure is why a request has no complete response, with its class.
type failure struct {
	kind Kind
	text string
	err  error // what it came from; may be nil
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

func fail(kind Kind, err error, format string, args ...any) error {
	return &failure{kind, fmt.Sprintf(format, args...), err}
}

func protocolf(format string, args ...any) error { return fail(Protocol, nil, format, args...) }

// kindOf returns the class of an error that explain made.
func kindOf(err error) Kind {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.kind
	}
	return Reset
}

// cancelled says that the caller's context ended the request.
func cancelled(ctx context.Context) error {
	err := context.Cause(ctx)
	if err == nil {
		err = context.Canceled
	}
	if ctxErr := ctx.Err(); ctxErr != nil && !errors.Is(err, ctxErr) {
		err = fmt.Errorf("%w: %w", ctxErr, err)
	}
	return fail(Timeout, err, "the request was cancelled: %v", err)
}

// connError puts a failed connect to addr into words.
func connError(addr string, err error, limit time.Duration) error {
	switch {
	case isTimeout(err):
		return fail(Timeout, err, "no connection to %s within %v", addr, limit)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail(Refused, err, "connection refused by %s", addr)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fail(Connect, err, "no local port is free for a connection to %s: use fewer connections, or keep them alive", addr)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fail(Connect, err, "too many open files for a connection to %s: raise the limit (ulimit -n), or use fewer connections", addr)
	}
	return fail(Connect, err, "cannot connect to %s: %v", addr, bare(err))
}

// bare is the innermost error: "no route to host" without the calls around it.
func bare(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errTimeout) {
		return true
	}
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// dnsError puts a failed lookup of host into words.
func dnsError(host string, err error, limit time.Duration) error {
	d, ok := errors.AsType[*net.DNSError](err)
	switch {
	case ok && d.IsNotFound:
		return fail(DNS, err, "cannot resolve %s: no such host", host)
	case ok && d.IsTimeout, isTimeout(err):
		return fail(DNS, err, "cannot resolve %s: no answer from the name server within %v", host, limit)
	case ok:
		return fail(DNS, err, "cannot resolve %s: %s", host, d.Err)
	}
	return fail(DNS, err, "cannot resolve %s: %v", host, err)
}

// tlsError puts a failed handshake with host into words.
func tlsError(host string, err error) error {
	var (
		name      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	text := ""
	switch {
	case errors.As(err, &name):
		names := strings.Join(name.Certificate.DNSNames, ", ")
		if names == "" {
			names = "no host name"
		}
		text = fmt.Sprintf("the certificate is for %s, not %s", names, name.Host)
	case errors.As(err, &authority):
		text = fmt.Sprintf("the certificate of %s is signed by an authority that is not trusted: name its certificate in http.tls.ca", host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		text = fmt.Sprintf("the certificate of %s is expired or not yet valid: %s", host, invalid.Detail)
	case errors.As(err, &record):
		text = fmt.Sprintf("%s does not speak TLS on this port", host)
	case alert(err) != "":
		text = fmt.Sprintf("%s refused the handshake: %s", host, alert(err))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		text = fmt.Sprintf("%s closed the connection during the handshake", host)
	default:
		text = strings.TrimPrefix(bare(err).Error(), "tls: ")
	}
	return fail(TLS, err, "TLS: %s", text)
}

// alert is what the peer said as it refused to go on; "" for other errors.
func alert(err error) string {
	// crypto/tls has no type for it but the one of QUIC.
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return strings.TrimPrefix(op.Err.Error(), "tls: ")
	}
	return ""
}

// brokenError puts a connection that broke in the middle of a request into
// words. got says how much of the response had come.
func brokenError(addr string, err error, got string) error {
	switch {
	case alert(err) != "":
		// In TLS 1.3 the server judges the client's certificate after the
		// client has done with the handshake.
		return tlsError(addr, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fail(Reset, err, "%s closed the connection %s", addr, got)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fail(Reset, err, "%s reset the connection %s", addr, got)
	}
	return fail(Reset, err, "the connection to %s broke %s: %v", addr, got, bare(err))
}
