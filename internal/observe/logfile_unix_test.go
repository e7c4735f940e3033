//go:build unix

package observe

import (
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// To open a pipe that nobody writes to never ended, and the run with it.
func TestLogThatIsNoFile(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "app.log")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, t.TempDir(), "/dev/zero", "/dev/null"} {
		l := newLog(&Source{Log: path, Pattern: regexp.MustCompile("x")})
		_, err := l.read(t.Context())
		if want := path + ": it is no file"; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		l.close()
	}
}
