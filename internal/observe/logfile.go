package observe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"time"
)

// A logFile counts the lines that are added to a file and match a pattern. It begins
// at the file's end, follows it when it is rotated or cut off, and waits for one
// that is not there yet.
type logFile struct {
	path    string
	pattern *regexp.Regexp
	file    *os.File // nil: not open
	offset  int64
	rest    []byte // of the line that has not ended
	long    bool   // that line is longer than is looked at
	last    time.Time
}

const (
	maxLine = 64 << 10 // of a line is looked at
	maxLog  = 64 << 20 // is read at once; more comes with the next reading
)

// newLog opens the file, so that lines count from now on.
func newLog(s *Source) reader {
	l := &logFile{path: s.Log, pattern: s.Pattern}
	if l.open() == nil {
		l.offset, _ = l.file.Seek(0, io.SeekEnd)
	}
	return l
}

// errNoLog is the error of what is no regular file: to open a pipe that nobody
// writes to, or to read a device, would never end.
var errNoLog = errors.New("it is no file: name one that the log is written to")

func (l *logFile) open() error {
	at, err := os.Stat(l.path)
	if err != nil {
		return err
	}
	if !at.Mode().IsRegular() {
		return errNoLog
	}
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	l.file, l.offset, l.rest, l.long = f, 0, l.rest[:0], false
	return nil
}

func (l *logFile) close() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}

// read gives the matching lines per second since it was called before.
func (l *logFile) read(context.Context) ([]outcome, error) {
	now := time.Now()
	lines, err := l.count()
	if errors.Is(err, fs.ErrNotExist) {
		l.last = now // whatever it has when it comes was written since
	}
	if err != nil {
		return nil, err
	}
	first := l.last.IsZero()
	length := now.Sub(l.last).Seconds()
	l.last = now
	if first || length <= 0 {
		return []outcome{{err: errNotYet}}, nil
	}
	return []outcome{{value: float64(lines) / length}}, nil
}

// count reads what is new. A file that was moved away is read to its end before
// the one that took its place.
func (l *logFile) count() (lines int, err error) {
	if l.file != nil {
		if lines, err = l.drain(); err != nil {
			return 0, err
		}
	}
	at, err := os.Stat(l.path)
	switch {
	case err != nil && l.file != nil && errors.Is(err, fs.ErrNotExist):
		return lines, nil // just moved away
	case err != nil:
		return 0, bare(l.path, err)
	case l.file != nil:
		if own, err := l.file.Stat(); err == nil && os.SameFile(own, at) {
			return lines, nil
		}
	}
	l.close()
	if err := l.open(); err != nil {
		return 0, bare(l.path, err)
	}
	more, err := l.drain()
	return lines + more, err
}

// bare says what is wrong with a file in few words.
func bare(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// drain counts the lines up to the end of the open file.
func (l *logFile) drain() (lines int, err error) {
	if own, err := l.file.Stat(); err == nil && own.Size() < l.offset {
		l.offset, l.rest, l.long = 0, l.rest[:0], false // cut off, and begun anew
	}
	chunk := make([]byte, 64<<10)
	for total := 0; total < maxLog; {
		n, err := l.file.ReadAt(chunk, l.offset)
		lines += l.take(chunk[:n])
		l.offset += int64(n)
		total += n
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, bare(l.path, err)
		}
	}
	return lines, nil
}

// take counts the lines that end in a chunk.
func (l *logFile) take(chunk []byte) (lines int) {
	for len(chunk) > 0 {
		i := bytes.IndexByte(chunk, '\n')
		part := chunk
		if i >= 0 {
			part = chunk[:i]
		}
		if room := maxLine - len(l.rest); !l.long {
			l.long = len(part) > room
			l.rest = append(l.rest, part[:min(len(part), room)]...)
		}
		if i < 0 {
			return lines
		}
		if l.pattern.Match(bytes.TrimSuffix(l.rest, []byte("\r"))) {
			lines++
		}
		l.rest, l.long = l.rest[:0], false
		chunk = chunk[i+1:]
	}
	return lines
}
