// Package ui serves the live page of a run to browsers: the page, what moves in
// it as server-sent events, and the few things a reader may do. It has not heard
// of load or figures; it is handed text to show and somebody to ask.
//
// Nothing here can hold up a run: readers fetch what is newest when they can
// take it, on goroutines of their own.
package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Run is what a reader may do to a run. Errors are shown to the reader; they
// are sentences without secrets.
type Run interface {
	// Start begins a load that waits for it.
	Start() error
	// Stop ends the load.
	Stop() error
	// Level sets the users, or the rate per second, of one load of the run.
	Level(track int, level float64) error
}

// Content is what the page shows. Its methods are called from several
// goroutines, and not while nobody looks.
type Content interface {
	// Page writes the page itself, once for each reader.
	Page(io.Writer) error
	// Frame writes all that moves in the page, as it is now.
	Frame(io.Writer) error
}

// Options are what a Server needs.
type Options struct {
	// Address is host:port. Without a host it is on loopback; port 0 is any
	// that is free.
	Address string
	Content Content
	Run     Run
	// Policy is the page's Content-Security-Policy.
	Policy string
}

// A Server is the live page of one run.
type Server struct {
	opt      Options
	listener net.Listener
	http     *http.Server
	token    string // "" on loopback
	cookie   string // its name
	serving  sync.WaitGroup
	readers  chan struct{} // one for each that is connected

	mu      sync.Mutex
	version int           // of what there is to show
	changed chan struct{} // closed when the version is another
	framed  int           // version of frame
	frame   []byte        // an event, ready to send
	report  []byte        // the end of it all; nil before
	owed    int           // readers who are to get the report
	paid    chan struct{} // told when nobody is owed the report any more
}

// maxReaders bounds what a page left open in many tabs costs the run.
const maxReaders = 32

// Listen serves the page until Close. The address is taken at once, so a port
// that is in use is known before there is any load.
func Listen(ctx context.Context, opt Options) (*Server, error) {
	address, err := completeAddress(opt.Address)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; name another, or :0 for any that is free", opt.Address, cause(err))
	}
	s := &Server{
		opt: opt, listener: listener, readers: make(chan struct{}, maxReaders), version: 1, changed: make(chan struct{}),
		paid: make(chan struct{}, 1),
	}
	tcp, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s: not a TCP address", opt.Address), listener.Close())
	}
	s.cookie = fmt.Sprintf("loadline-%d", tcp.Port) // browsers keep cookies apart by host only
	if !tcp.IP.IsLoopback() {
		s.token = newToken()
	}
	s.http = &http.Server{
		Handler: s.guard(s.routes()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	s.serving.Go(func() { _ = s.http.Serve(listener) }) // ends with Close
	return s, nil
}

// completeAddress puts loopback where no host is named.
func completeAddress(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%q: write host:port, or :8089 for this machine alone", address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

func cause(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	return err
}

// URL is where the page is, with the token where one is needed: for the eyes of
// whoever started the run.
func (s *Server) URL() string {
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = firstAddress(host)
	}
	if s.token == "" {
		return "http://" + net.JoinHostPort(host, port) + "/"
	}
	return "http://" + net.JoinHostPort(host, port) + "/?token=" + s.token
}

// firstAddress is one at which others reach a socket that is bound to all.
func firstAddress(fallback string) string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return fallback
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return fallback
}

// Changed tells all readers that the content is another. It waits for no reader,
// only for a frame that is being made.
func (s *Server) Changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn()
}

// turn is called with the lock held.
func (s *Server) turn() {
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

// Finish hands the report to everybody who is looking, and returns when they
// have it, or after a while: a browser that sleeps does not keep a job from
// ending.
func (s *Server) Finish(report []byte, patience time.Duration) {
	s.mu.Lock()
	s.report = report
	s.turn()
	waiting := s.owed > 0
	select { // told of some who left before
	case <-s.paid:
	default:
	}
	s.mu.Unlock()
	if !waiting {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.paid:
	case <-timer.C:
	}
}

// farewell is how long an answer may go on after the end. Whoever was to get the
// report has it by then; connections that a browser opened ahead never end.
const farewell = 250 * time.Millisecond

// Close ends the serving. Answers that are under way may finish, for a moment.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	s.mu.Lock()
	if s.report == nil {
		s.report = []byte{}
		s.turn()
	}
	s.mu.Unlock()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	s.serving.Wait()
	return err
}

// trimmed is the text of an error, for a reader.
func trimmed(err error) string { return strings.TrimSpace(err.Error()) }
