package load

import "sync"

// A ledger is where all buffers are emptied into. It keeps two books, and turns
// to the other when the collector reads one: users never wait for the reading.
type ledger struct {
	buffers []*buffer

	mu     sync.Mutex
	active *books
	spare  *books
}

func newLedger(s shape, buffers int) *ledger {
	l := &ledger{active: newBooks(s), spare: newBooks(s)}
	for range buffers {
		l.buffers = append(l.buffers, newBuffer(l))
	}
	return l
}

func (l *ledger) post(entries []entry, marks []mark) {
	if len(entries)+len(marks) == 0 {
		return
	}
	l.mu.Lock()
	for i := range entries {
		l.active.request(&entries[i])
	}
	for i := range marks {
		l.active.mark(&marks[i])
	}
	l.mu.Unlock()
}

// read returns the books of the time since the last read. They are valid until
// the next one.
func (l *ledger) read() *books {
	for _, b := range l.buffers {
		b.flush()
	}
	l.spare.reset()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active, l.spare = l.spare, l.active
	return l.spare
}
