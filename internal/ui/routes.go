package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"
)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /report", s.final)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /start", action(func(*struct{}) error { return s.opt.Run.Start() }))
	mux.HandleFunc("POST /stop", action(func(*struct{}) error { return s.opt.Run.Stop() }))
	mux.HandleFunc("POST /level", action(func(l *level) error {
		if l.Level == nil {
			return errNoLevel
		}
		return s.opt.Run.Level(l.Track, *l.Level)
	}))
	return mux
}

// A level is the body of POST /level.
type level struct {
	Track int      `json:"track"`
	Level *float64 `json:"level"`
}

var errNoLevel = errors.New("the request names no level")

// maxBody is more than any body needs.
const maxBody = 1 << 10

// action answers a POST with a body of JSON. A form of another page cannot send
// that type without being asked for leave, which is never given.
func action[T any](do func(*T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
			return
		}
		var body T
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		d.DisallowUnknownFields()
		if err := d.Decode(&body); err != nil {
			http.Error(w, "not the JSON that belongs here: "+trimmed(err), http.StatusBadRequest)
			return
		}
		if err := do(&body); err != nil {
			http.Error(w, trimmed(err), http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// page is the live page, or the report once the run is over.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if s.finished() {
		http.Redirect(w, r, "report", http.StatusSeeOther)
		return
	}
	var b bytes.Buffer
	if err := s.opt.Content.Page(&b); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	sendHTML(w, b.Bytes())
}

func (s *Server) finished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.report) > 0
}

// final is the report, which has a policy of its own.
func (s *Server) final(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	report := s.report
	s.mu.Unlock()
	if len(report) == 0 {
		http.Error(w, "the run is not over yet", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
	sendHTML(w, report)
	_ = http.NewResponseController(w).Flush() // whoever is gone needs it no more
	s.settle()
}

func sendHTML(w http.ResponseWriter, text []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(text) // whoever is gone needs it no more
}

// Of the stream: how often something is said when there is nothing to say, lest
// a proxy take the connection for dead; how long a reader may take to read; and
// when a browser tries again.
const (
	keepAlive   = 15 * time.Second
	readWithin  = 10 * time.Second
	retryMillis = 1000
)

// events sends what moves, each time it did. A reader who takes longer than
// that misses some, and is sent what is newest then.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	default:
		http.Error(w, "too many are looking already", http.StatusServiceUnavailable)
		return
	}
	out := http.NewResponseController(w)
	send := func(event []byte) bool {
		_ = out.SetWriteDeadline(time.Now().Add(readWithin)) // http.Server has it
		_, err := w.Write(event)
		return err == nil && out.Flush() == nil
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // for nginx, which would keep it all until the end
	if !send(fmt.Appendf(nil, "retry: %d\n\n", retryMillis)) {
		return
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	s.owe()
	for sent := 0; ; {
		event, version, changed, over := s.newest(sent)
		switch {
		case over:
			if len(event) == 0 || !send(event) {
				s.settle()
			}
			return
		case version != sent && !send(event):
			s.settle()
			return
		}
		sent = version
		select {
		case <-changed:
		case <-alive.C:
			if !send([]byte(": still here\n\n")) {
				s.settle()
				return
			}
		case <-r.Context().Done():
			s.settle()
			return
		}
	}
}

// newest is the event to send to a reader who has got as far as sent. over is
// true for the last one, which is empty when there is no report.
func (s *Server) newest(sent int) (event []byte, version int, changed <-chan struct{}, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.report != nil {
		if len(s.report) == 0 {
			return nil, s.version, s.changed, true
		}
		return []byte("event: done\ndata: {}\n\n"), s.version, s.changed, true
	}
	if s.version != sent && s.framed != s.version {
		// The first reader to want it makes it, the others share it.
		s.frame, s.framed = s.makeFrame(), s.version
	}
	return s.frame, s.version, s.changed, false
}

// makeFrame is called with the lock held.
func (s *Server) makeFrame() []byte {
	var b bytes.Buffer
	if err := s.opt.Content.Frame(&b); err != nil {
		return nil
	}
	text, err := json.Marshal(b.String())
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "event: frame\ndata: %s\n\n", text)
}

// owe notes that one more reader is to get the report, when there is one.
func (s *Server) owe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed++
}

// settle notes that one of them is gone or has it.
func (s *Server) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owed--; s.owed <= 0 {
		s.owed = 0 // the report may be read more than once
		select {
		case s.paid <- struct{}{}:
		default:
		}
	}
}
