package report

import (
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
)

// A run that stop_when ended says so, and how far it came: that was its purpose.
func TestLeadSaysThatTheRunEndedAsAsked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stopped string
		open    bool
		want    string
	}{
		{result.StopWhen + "errors > 5% (6.1%)", true, ", as stop_when asks: errors > 5% (6.1%)."},
		{result.StopWhen + "errors > 5% (6.1%)", false, ", as stop_when asks: errors > 5% (6.1%)."},
		{result.LimitBroke + "errors < 1% was broken", true, ""},
		{"", true, ""},
	} {
		p := samplePage("pass")
		run := *sampleRun(shape{steps: 1, seconds: 10, open: tt.open})
		run.Stopped = tt.stopped
		p = New(p.Verdict, &run, p.Context, nil)
		said := text(t, p, Terminal{Width: 400, Unicode: true})
		if _, ended, _ := strings.Cut(said, " The load ended after "); tt.want == "" && ended != "" || !strings.Contains(ended, tt.want) {
			t.Errorf("%q: %s", tt.stopped, said)
		}
		level := ", at 300/s, as"
		if !tt.open {
			level = " users, as"
		}
		if tt.want != "" && !strings.Contains(said, level) {
			t.Errorf("the level is not told, %q:\n%s", level, said)
		}
	}
}
