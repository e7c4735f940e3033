package github

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
)

func TestLogWriter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		writes []string
		want   string
	}{
		{"plain", []string{"one\n", "two\n"}, "one\ntwo\n"},
		{"a command", []string{"::set-output name=a::b\n"}, ": :set-output name=a::b\n"},
		{"after blanks", []string{" \t ::error::x\n"}, " \t : :error::x\n"},
		{"in the middle", []string{"said ::error::x\n"}, "said ::error::x\n"},
		{"on a later line", []string{"said\n::error::x\n"}, "said\n: :error::x\n"},
		{"after a carriage return", []string{"said\r::error::x\n"}, "said::error::x\n"},
		{"in two writes", []string{"  ", "::error::x\n"}, "  : :error::x\n"},
		{"after a beginning", []string{"a", "::error::x\n"}, "a::error::x\n"},
		{"the old form", []string{"said ##[set-env name=PATH]/tmp\n"}, "said # #[set-env name=PATH]/tmp\n"},
		{"escapes", []string{"\x1b[2J\x1b]0;x\a\x00y\n"}, "[2J]0;xy\n"},
		{"bytes that are no text", []string{"\xff\n"}, "\uFFFD\n"},
	}
	for _, tt := range tests {
		var b strings.Builder
		w := LogWriter(&b)
		for _, s := range tt.writes {
			if n, err := fmt.Fprint(w, s); n != len(s) || err != nil {
				t.Errorf("%s: wrote %d of %d, %v", tt.name, n, len(s), err)
			}
		}
		if b.String() != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, b.String(), tt.want)
		}
	}
	if _, err := LogWriter(broken{}).Write([]byte("x")); err == nil {
		t.Error("a closed pipe is no error")
	}
}

func FuzzLogWriter(f *testing.F) {
	f.Add("x\n::error::y", "##[z]")
	f.Add(" ", "\r::a::")
	f.Fuzz(func(t *testing.T, a, b string) {
		var out strings.Builder
		w := LogWriter(&out)
		_, _ = fmt.Fprint(w, a) // a builder takes everything
		_, _ = fmt.Fprint(w, b)
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") {
				t.Errorf("a command: %q", line)
			}
			if strings.ContainsAny(line, "\x1b\r\x00") {
				t.Errorf("a control character: %q", line)
			}
		}
		// A form that begins in one write and ends in the next is no harm: each of
		// ours is one write.
		if len(a) == 0 && strings.Contains(out.String(), "##[") {
			t.Errorf("a command of the old form: %q", out.String())
		}
	})
}
