package cli

import (
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/verdict"
)

func TestExitStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		failOn  string
		outcome verdict.Outcome
		want    Exit
	}{
		{"", verdict.Pass, 0},
		{"", verdict.Accepted, 0},
		{"", verdict.Regression, 1},
		{"", verdict.Threshold, 1},
		{"", verdict.Invalid, 3},
		{"", verdict.Inconclusive, 0},
		{"", verdict.NoBaseline, 0},
		{"inconclusive", verdict.Inconclusive, 4},
		{"inconclusive", verdict.Regression, 1},
		{"no-baseline", verdict.NoBaseline, 5},
		{"inconclusive, no-baseline", verdict.Invalid, 3},
		{"regression,threshold", verdict.Invalid, 0},
		{"regression,inconclusive", verdict.Threshold, 0},
		{"none", verdict.Regression, 0},
		{"none", verdict.Invalid, 0},
	}
	for _, tt := range tests {
		fail, err := parseFailOn(tt.failOn)
		if err != nil {
			t.Fatalf("fail-on %q: %v", tt.failOn, err)
		}
		if got := exitOf(tt.outcome, fail); got != tt.want {
			t.Errorf("fail-on %q, %s: status %d, want %d", tt.failOn, tt.outcome, got, tt.want)
		}
	}
	for list, want := range map[string]string{
		"regresion":       `did you mean "regression"`,
		"none,regression": `"none" alone`,
		"everything":      "use regression, threshold",
	} {
		if _, err := parseFailOn(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fail-on %q: %v, want %q in it", list, err, want)
		}
	}
}

func TestMaskHidesEveryForm(t *testing.T) {
	t.Parallel()
	m := newMask([]string{`p4ss/w+rd"é`, "abc", "longer-p4ss/w+rd\"é-secret"})
	for _, form := range []string{
		`p4ss/w+rd"é`, `p4ss%2Fw%2Brd%22%C3%A9`, `p4ss%2Fw+rd%22%C3%A9`, `p4ss/w+rd\"é`,
		"cDRzcy93K3JkIsOp", `longer-p4ss/w+rd"é-secret`,
	} {
		if got := m.String("x " + form + " y"); got != "x *** y" {
			t.Errorf("%s became %q", form, got)
		}
	}
	if got := m.String("abc stays: too short to hide"); got != "abc stays: too short to hide" {
		t.Errorf("got %q", got)
	}
	if got := (mask{}).String("nothing to hide"); got != "nothing to hide" {
		t.Errorf("got %q", got)
	}
}
