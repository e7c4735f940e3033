package verdict_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

var tableFile = flag.String("table", "", "a Markdown file between whose marks the measured tables are to be written")

const (
	tableBegin = "<!-- measured: begin -->\n"
	tableEnd   = "<!-- measured: end -->\n"
)

// TestTable measures the tables of docs/verdict.md and writes them there. It
// takes minutes, so it does so only when asked:
//
//	go test ./internal/verdict -run TestTable -timeout 2h -trials 4000 -table ../../docs/verdict.md
func TestTable(t *testing.T) {
	if *tableFile == "" {
		t.Skip("no -table FILE")
	}
	text, err := os.ReadFile(*tableFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks %q and %q", *tableFile, tableBegin, tableEnd)
	}
	text = []byte(before + tableBegin + tables(t) + tableEnd + after)
	if err := os.WriteFile(*tableFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

var effects = []float64{1, 1.1, 1.2, 1.5}

func change(by float64) []sim.Change {
	if by == 1 {
		return nil
	}
	return []sim.Change{{Step: 2, By: math.Log(by)}}
}

// sample is how many pull requests are simulated for an effect: those without a
// change decide the claim.
func sample(by float64) int {
	if by == 1 {
		return *trials
	}
	return max(*trials/10, 50)
}

func tables(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	classes := []sim.Class{sim.Quiet, sim.Shared, sim.Noisy}
	fmt.Fprintf(&b, "\nMeasured with %d pull requests that change nothing, and %d of each change, for every figure.\n", *trials, sample(1.2))

	b.WriteString("\n### Against ten stored runs: who blames whom\n\n| rule |")
	for _, c := range classes {
		fmt.Fprintf(&b, " %s: clean | +10%% | +20%% | +50%% |", c.Name)
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", 4*len(classes)) + "\n")
	for _, a := range anchors {
		fmt.Fprintf(&b, "| %s |", a.name)
		for _, class := range classes {
			for _, by := range effects {
				fmt.Fprintf(&b, " %s |", percent(a.study(class, change(by), sample(by))))
			}
		}
		b.WriteString("\n")
	}
	for _, confirm := range []bool{false, true} {
		name := "**loadline**"
		if confirm {
			name = "**loadline, confirmed on fresh machines**"
		}
		fmt.Fprintf(&b, "| %s |", name)
		for _, class := range classes {
			for _, by := range effects {
				got := study{target: sim.Target{Class: class}, stored: 10, change: change(by), confirm: confirm, rules: strictRules(t)}.run(sample(by))
				fmt.Fprintf(&b, " %s |", percent(got.share(got.called)))
			}
		}
		b.WriteString("\n")
	}

	b.WriteString("\n### By the number of stored runs\n\n| noise | runs | clean | at most (95%) | inconclusive | +10% | +20% | +50% | x3 |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, class := range []sim.Class{sim.Quiet, sim.Shared, sim.Noisy, sim.Heavy, sim.Hog} {
		for _, stored := range []int{1, 2, 3, 5, 10, 30} {
			clean := study{target: sim.Target{Class: class}, stored: stored, rules: strictRules(t)}.run(*trials)
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s |", class.Name, stored,
				percent(clean.share(clean.called)), percent(clean.upper(clean.called)), percent(clean.share(clean.unsure)))
			for _, by := range []float64{1.1, 1.2, 1.5, 3} {
				got := study{target: sim.Target{Class: class}, stored: stored, change: change(by), rules: strictRules(t)}.run(sample(by))
				fmt.Fprintf(&b, " %s |", percent(got.share(got.called)))
			}
			b.WriteString("\n")
		}
	}

	b.WriteString("\n### Few steps, short runs, everything at once (ten stored runs)\n\n| what | noise | clean | +20% | +50% | all +20%: blamed / inconclusive | all x3: blamed |\n|---|---|--:|--:|--:|--:|--:|\n")
	for _, c := range []struct {
		name   string
		target sim.Target
	}{
		{"1 step", sim.Target{Steps: 1}},
		{"2 steps", sim.Target{Steps: 2}},
		{"3 steps", sim.Target{Steps: 3}},
		{"5 steps", sim.Target{}},
		{"4 steps and a control step", sim.Target{Control: true}},
		{"20 steps", sim.Target{Steps: 20}},
		{"5 steps, 10 s of 400/s", sim.Target{Rate: 400, Rounds: 12, Round: 833 * 1e6}},
	} {
		for _, class := range classes[1:] {
			c.target.Class = class
			run := func(n int, changes ...sim.Change) tally {
				return study{target: c.target, stored: 10, change: changes, rules: strictRules(t)}.run(n)
			}
			at := sim.Change{Step: 0, By: math.Log(1.2)}
			clean, some, much := run(*trials), run(sample(2), at), run(sample(2), sim.Change{Step: 0, By: math.Log(1.5)})
			all, huge := run(sample(2), sim.Change{Step: -1, By: math.Log(1.2)}), run(sample(2), sim.Change{Step: -1, By: math.Log(3)})
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s / %s | %s |\n", c.name, class.Name,
				percent(clean.share(clean.called)), percent(some.share(some.called)), percent(much.share(much.called)),
				percent(all.share(all.wrong)), percent(all.share(all.unsure)), percent(huge.share(huge.wrong)))
		}
	}
	b.WriteString("\n### Base and head in one run\n\n| noise | restart to confirm | clean | at most (95%) | clean and passed | seconds of load | +5% | +10% | +20% | p95 alone +20% |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, class := range []sim.Class{sim.Quiet, sim.Shared, sim.Noisy, sim.Heavy, sim.Hog} {
		for _, redeploy := range []bool{false, true} {
			run := func(n int, changes ...sim.Change) duelTally {
				return duelStudy{target: sim.Target{Class: class}, change: changes, redeploy: redeploy, past: 60, rules: strictRules(t)}.run(n)
			}
			clean := run(*trials)
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %.0f |", class.Name, map[bool]string{true: "yes", false: "no"}[redeploy],
				percent(clean.share(clean.called)), percent(clean.upper(clean.called)), percent(clean.share(clean.passed)), clean.share(clean.seconds))
			for _, ch := range []sim.Change{slow(2, 1.05), slow(2, 1.1), slow(2, 1.2), {Step: 2, By: math.Log(1.2), Tail: true}} {
				got := run(sample(2), ch)
				fmt.Fprintf(&b, " %s |", percent(got.share(got.called)))
			}
			b.WriteString("\n")
		}
	}
	b.WriteString(otherTables(t))
	return b.String()
}

// otherTables measures re-running, calibration and the trend on the main branch.
func otherTables(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n### Running a job again until it passes (ten stored runs, five attempts at most)\n\n| noise | change | passes at once | passes within five attempts | if attempts did not pool |\n|---|---|--:|--:|--:|\n")
	for _, class := range []sim.Class{sim.Quiet, sim.Shared, sim.Noisy} {
		for _, by := range []float64{1.2, 1.5} {
			first, ever := greenStudy(t, class, sample(by), true, slow(2, by))
			_, alone := greenStudy(t, class, sample(by), false, slow(2, by))
			fmt.Fprintf(&b, "| %s | %+.0f%% | %s | %s | %s |\n", class.Name, 100*(by-1), percent(first), percent(ever), percent(alone))
		}
	}
	b.WriteString("\n### What calibrate states, and the trend on the main branch\n\n| noise | the stated change, when made, is called | creep of 1% a merge: seen | before +15% | after merges | flat for 100 merges, looked at after each: alarms |\n|---|--:|--:|--:|--:|--:|\n")
	for _, class := range []sim.Class{sim.Quiet, sim.Shared, sim.Noisy} {
		stated := calibrateStudy(t, class, sample(2))
		c := creepStudy(class, max(sample(2), 100), 1)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.0f | %s |\n", class.Name, percent(stated), percent(c.share(c.seen)), percent(c.share(c.inTime)),
			stat.Median(c.merges), percent(c.share(c.alarms)))
	}
	b.WriteString("\n")
	return b.String()
}

func percent(share float64) string {
	switch p := 100 * share; {
	case p == 0 || p >= 10:
		return fmt.Sprintf("%.0f", p)
	case p >= 1:
		return fmt.Sprintf("%.1f", p)
	default:
		return fmt.Sprintf("%.2f", p)
	}
}
