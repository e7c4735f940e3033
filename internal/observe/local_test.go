package observe

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommandNumber(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, printed string
		value            float64
		want             string
	}{
		{`estab (\d+)`, "Total: 191\nTCP:   12 (estab 3, closed 4)\n", 3, ""},
		{`\d+\.\d+`, "load 0.75 of 2", 0.75, ""},
		{"", " 42\n", 42, ""},
		{"", "1e3", 1000, ""},
		{"", " \n", 0, "the command printed nothing"},
		{"", "NaN", 0, `"NaN" is no number: write a pattern whose first group is one`},
		{`used (\w+)`, "used some", 0, `"some" is no number: write a pattern whose first group is one`},
		{`estab (\d+)`, "nothing", 0, `nothing that the command printed matches the pattern "estab (\\d+)"`},
	} {
		c := &command{run: func(context.Context, string) ([]byte, error) { return []byte(tt.printed), nil }}
		if tt.pattern != "" {
			c.pattern = regexp.MustCompile(tt.pattern)
		}
		got, err := c.read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		if got[0].err != nil {
			said = got[0].err.Error()
		}
		if got[0].value != tt.value || said != tt.want {
			t.Errorf("%q in %q: %v, %q; want %v, %q", tt.pattern, tt.printed, got[0].value, said, tt.value, tt.want)
		}
	}
}

func TestCommandFaults(t *testing.T) {
	t.Parallel()
	c := &command{run: func(context.Context, string) ([]byte, error) { return nil, errors.New("exit status 127") }}
	if _, err := c.read(t.Context()); err == nil || err.Error() != "exit status 127" {
		t.Errorf("%v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.read(over); err == nil || err.Error() != "the command took too long" {
		t.Errorf("%v", err)
	}
}

// steps does one thing after the other to a log, and counts after each.
func steps(t *testing.T, l *logFile, do ...func()) (counts []int) {
	t.Helper()
	for _, step := range do {
		step()
		n, err := l.count()
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, n)
	}
	return counts
}

func TestLogIsFollowed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "error.log")
	add := func(text string) func() {
		return func() {
			f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(text); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	must := func(f func() error) func() {
		return func() {
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}
	}
	add("old 500 line\nold 500 line\n")()
	l := newLog(&Source{Log: path, Pattern: regexp.MustCompile(` 50[0-9]$| 50[0-9] `)}).(*logFile)
	defer l.close()
	rotate := func() error { return os.Rename(path, path+".1") }
	got := steps(t, l,
		func() {}, // what was there before the run does not count
		add("GET /a 500 3\nGET /b 200 1\nGET /c 503 2\n"),
		add("GET /d 50"), // no line yet
		add("2 1\nGET /e 504\r\n"),
		add(strings.Repeat("x", 3*maxLine)+" 500 \nGET /f 500 1\n"), // of a line only its beginning is looked at
		func() { add("GET /g 500 1\n")(); must(rotate)() },          // its last lines still count
		add("GET /h 500 1\n"),                              // a new file in its place
		func() { must(rotate)(); add("GET /i 500 1\n")() }, // both between two readings
		must(func() error { return os.Truncate(path, 0) }), // as logrotate's copytruncate does
		add("GET /j 500 1\n"),
	)
	if diff := cmp.Diff(got, []int{0, 2, 0, 2, 1, 1, 1, 1, 0, 1}); diff != "" {
		t.Errorf("lines (-got +want):\n%s", diff)
	}
}

func TestLogThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "error.log")
	l := newLog(&Source{Log: path, Pattern: regexp.MustCompile("x")})
	defer l.close()
	if _, err := l.read(t.Context()); err == nil || !strings.Contains(err.Error(), "error.log: ") || strings.Contains(err.Error(), "open ") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte("x\ny\nx\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// All of a file that came later is new, and was written since the reading before.
	before := l.(*logFile).last
	got, err := l.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 / l.(*logFile).last.Sub(before).Seconds(); got[0].err != nil || got[0].value != want {
		t.Errorf("%+v, want %v per second", got[0], want)
	}
}

func TestLogReadsARate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "error.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLog(&Source{Log: path, Pattern: regexp.MustCompile("x")}).(*logFile)
	defer l.close()
	if got, err := l.read(t.Context()); err != nil || !errors.Is(got[0].err, errNotYet) {
		t.Errorf("the first reading is %v, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("x\nx\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := l.last
	got, err := l.read(t.Context())
	if err != nil || got[0].err != nil {
		t.Fatal(got, err)
	}
	if want := 2 / l.last.Sub(before).Seconds(); got[0].value != want {
		t.Errorf("%v per second, want %v", got[0].value, want)
	}
}

// Where the pieces of a log end must not matter.
func TestLogLinesComeInAnyPieces(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	pattern := regexp.MustCompile(`^a+b$`)
	for range 500 {
		text := make([]byte, rng.IntN(200))
		for i := range text {
			text[i] = "aab\n"[rng.IntN(4)]
		}
		want := 0
		for line := range bytes.Lines(text) {
			if bytes.HasSuffix(line, []byte("\n")) && pattern.Match(bytes.TrimSuffix(line, []byte("\n"))) {
				want++
			}
		}
		l, got := &logFile{pattern: pattern}, 0
		for rest := text; len(rest) > 0; {
			n := 1 + rng.IntN(len(rest))
			got += l.take(rest[:n])
			rest = rest[n:]
		}
		if got != want {
			t.Fatalf("%q has %d lines, want %d", text, got, want)
		}
	}
}
