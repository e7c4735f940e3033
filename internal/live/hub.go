package live

import "sync"

// waiting is how many rows may wait for one who watches. Beyond that the oldest
// is dropped: rows hold totals, so a slow watcher misses moments, not counts.
const waiting = 8

// A Hub hands rows on to all who watch. Who is slow, such as a terminal that was
// stopped with Ctrl-S or a browser far away, never delays who publishes: that is
// the goroutine that collects the run. The zero Hub is ready.
type Hub struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
	last     *Row
	closed   bool
}

type watcher struct{ rows chan *Row }

// Publish hands a row to all who watch now, and keeps it for those who come
// later. It does not wait. A nil Hub has nobody who watches.
func (h *Hub) Publish(row *Row) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.last = row
	for w := range h.watchers {
		w.offer(row)
	}
}

// offer is called with the lock held, so nobody else sends.
func (w *watcher) offer(row *Row) {
	for {
		select {
		case w.rows <- row:
			return
		default:
		}
		select {
		case <-w.rows:
		default:
		}
	}
}

// Watch returns the rows from the last one on. The channel is closed when the
// hub is, or when leave is called, which may be more than once.
func (h *Hub) Watch() (rows <-chan *Row, leave func()) {
	w := &watcher{rows: make(chan *Row, waiting)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last != nil {
		w.rows <- h.last
	}
	if h.closed {
		close(w.rows)
		return w.rows, func() {}
	}
	if h.watchers == nil {
		h.watchers = map[*watcher]struct{}{}
	}
	h.watchers[w] = struct{}{}
	return w.rows, func() { h.leave(w) }
}

func (h *Hub) leave(w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.watchers[w]; there {
		delete(h.watchers, w)
		close(w.rows)
	}
}

// Follow calls show with each row, on a goroutine of its own, until the hub is
// closed or stop is called; stop returns when show was called for the last time.
func (h *Hub) Follow(show func(*Row)) (stop func()) {
	rows, leave := h.Watch()
	var showing sync.WaitGroup
	showing.Go(func() {
		for row := range rows {
			show(row)
		}
	})
	return func() {
		leave()
		showing.Wait()
	}
}

// Close ends the watching: rows that wait are still read. A nil Hub may be
// closed, and one that is closed already.
func (h *Hub) Close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for w := range h.watchers {
		delete(h.watchers, w)
		close(w.rows)
	}
}
