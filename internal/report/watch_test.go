package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/unit"
)

var clock = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// watched are rows of runs of several kinds, in the order in which they came.
var watched = map[string]func() []*live.Row{
	"waiting": func() []*live.Row {
		return []*live.Row{{Phase: live.Waiting, Note: "http://127.0.0.1:8080/"}}
	},
	"open": func() []*live.Row { return openRows(30) },
	"closed": func() []*live.Row {
		row := busyRow(41, 3)
		row.Open, row.Asked, row.UsersAsked, row.Users = false, 0, 50, 48
		row.Steps = row.Steps[:1]
		row.Stage = live.Stage{K: 1, N: 1}
		return []*live.Row{row}
	},
	"paired": func() []*live.Row {
		base, head := busyRow(40, 4), busyRow(41, 4)
		base.Arm, head.Arm = "base", "head"
		base.Stage, head.Stage = live.Stage{}, live.Stage{}
		base.Latency = live.Latency{P50: 2_100, P95: 4_210, P99: 9_050}
		return []*live.Row{base, head}
	},
	"failing": func() []*live.Row {
		row := busyRow(41, 3)
		row.Failed, row.Dropped = 40, 12
		row.Errors = map[string]int64{"timeout": 12, "refused": 28}
		row.Total.Failed, row.Total.Dropped = 1_034, 2_080
		row.Total.Errors = map[string]int64{"timeout": 512, "refused": 512, "reset": 10}
		row.Total.Status[503] = 77
		row.Steps[1].Bad = 1_034
		row.Health.Busy, row.Health.CPUPercent = true, 97.4
		return []*live.Row{row}
	},
	"sixty steps": func() []*live.Row {
		row := busyRow(41, 60)
		row.Steps[57].Bad = 3
		return []*live.Row{row}
	},
	"target": func() []*live.Row { return []*live.Row{toldRow()} },
	"target of many": func() []*live.Row {
		row := toldRow()
		for _, role := range []string{"db_connections", "gc", "queue", "goroutines_of_the_orders_service"} {
			row.Target = append(row.Target, live.Told{Role: role, Value: 1234})
		}
		return []*live.Row{row}
	},
	"target of two": func() []*live.Row {
		base, head := toldRow(), toldRow()
		base.Arm, head.Arm, base.Stage, head.Stage = "base", "head", live.Stage{}, live.Stage{}
		base.Target[0].Arm, head.Target[0].Arm = "base", "head"
		return []*live.Row{base, head}
	},
	"nothing answered": func() []*live.Row {
		return []*live.Row{{
			Phase: live.Load, Title: "shop", ElapsedS: 1, PlannedS: 60, LeftS: 59, Open: true, Asked: 10,
			Steps: []live.Step{{Name: "GET /a"}, {Name: "GET /b"}},
		}}
	},
	"hostile": func() []*live.Row {
		row := busyRow(41, 4)
		row.Target = []live.Told{{Role: "\x1b[2J" + strings.Repeat("y", 500), Value: math.MaxFloat64, Unit: "parsecs"}, {Arm: "\x1b[1A\u202e"}}
		row.Title = "\x1b[2J\x1b]0;owned\x07shop\r\n::error::x " + strings.Repeat("long ", 100)
		row.Stage.Name = "\x1b[31mred\u202eedir"
		row.Steps[0].Name = strings.Repeat("x", 500)
		row.Steps[1].Name = "مرحبا بالعالم"
		row.Steps[2].Name = "🛒🛒🛒 日本語のとても長い名前です日本語のとても長い名前です"
		row.Steps[3].Name = "\x00\x07\x9b31m\x1b[1A\x1b[2K"
		return []*live.Row{row}
	},
}

// toldRow has what a target tells of itself.
func toldRow() *live.Row {
	row := busyRow(41, 4)
	row.Target = []live.Told{
		{Role: "cpu", Value: 3.252, Limit: 4},
		{Role: "memory", Value: 1 << 30, Unit: unit.BaseBytes},
		{Role: "gc", Value: 0.0125, Unit: unit.BaseSeconds},
	}
	return row
}

// openRows is a rate that rises for so many seconds.
func openRows(n int) []*live.Row {
	rows := make([]*live.Row, 0, n)
	for i := range n {
		row := busyRow(12+i, 4)
		row.Requests, row.Latency.P95 = int64(20+10*i), int64(8_000+1_000*(i%7))
		rows = append(rows, row)
	}
	return rows
}

func busyRow(at, steps int) *live.Row {
	row := &live.Row{
		Phase: live.Load, Title: "shop", TimeS: float64(at), ElapsedS: float64(at + 1), PlannedS: 90, LeftS: float64(89 - at),
		Stage: live.Stage{Name: "hold", K: 2, N: 3, LeftS: float64(69 - at)}, Measured: true, Open: true,
		Asked: 120, Started: 119, Requests: 357, Users: 20, InFlight: 12,
		Latency: live.Latency{P50: 2_130, P95: 8_320, P99: 12_450}, LatencyOfS: 5,
		Total:  live.Total{Requests: 14_210, Status: map[int]int64{200: 14_000, 404: 210}, Errors: map[string]int64{}},
		Health: live.Health{CPUPercent: 12.3, LagP99us: 180, StealKnown: true},
	}
	for i := range steps {
		row.Steps = append(row.Steps, live.Step{
			Scenario: "browse", Name: fmt.Sprintf("GET /route/%d", i+1), Total: 4_736, Latency: live.Latency{P50: 1_900, P95: 7_200, P99: 11_000},
		})
	}
	return row
}

func frameOf(rows []*live.Row, t Terminal) []string {
	var w Watch
	for i, row := range rows {
		w.Add(row, clock.Add(time.Duration(i)*time.Second))
	}
	return w.Frame(t, clock.Add(time.Duration(len(rows)+2)*time.Second))
}

func TestWatchGolden(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range watched {
		names = append(names, name)
	}
	for _, name := range names {
		for kind, term := range map[string]Terminal{
			"": {Width: 80, Height: 23, Unicode: true}, "-60-ascii": {Width: 60, Height: 20}, "-colour": {Width: 120, Height: 40, Unicode: true, Colour: true},
		} {
			golden(t, "watch/"+strings.ReplaceAll(name, " ", "-")+kind+".txt", []byte(strings.Join(frameOf(watched[name](), term), "\n")+"\n"))
		}
	}
}

// A frame that is wider or higher than the screen cannot be drawn over, and what
// a name holds must not move the cursor.
func TestFramesFitTheScreen(t *testing.T) {
	t.Parallel()
	for name, rows := range watched {
		for _, width := range []int{40, 60, 80, 132} {
			for _, height := range []int{1, 5, 12, 24, 60} {
				for _, unicode := range []bool{true, false} {
					lines := frameOf(rows(), Terminal{Width: width, Height: height, Unicode: unicode})
					if len(lines) > height {
						t.Errorf("%s: %d lines on a screen of %d", name, len(lines), height)
					}
					for _, line := range lines {
						if columns(line) > width {
							t.Errorf("%s: %d columns on a screen of %d: %s", name, columns(line), width, line)
						}
						if strings.ContainsAny(line, "\x1b\x07\r\x00\u009b\u202e") {
							t.Errorf("%s: a name acts on the terminal: %q", name, line)
						}
					}
				}
			}
		}
	}
}

// What changes from second to second must stay in its place, or nobody can
// read it.
func TestNumbersKeepTheirPlaces(t *testing.T) {
	t.Parallel()
	small, large := busyRow(10, 1), busyRow(11, 1)
	small.Requests, small.Asked, small.Latency = 1, 0.5, live.Latency{P50: 90, P95: 999, P99: 1_000}
	large.Requests, large.Asked, large.Latency = 98_765, 12_345, live.Latency{P50: 1_230_000, P95: 12_300_000, P99: 59_900_000}
	term := Terminal{Width: 100, Unicode: true}
	a, b := frameOf([]*live.Row{small}, term), frameOf([]*live.Row{large}, term)
	for _, word := range []string{"asked", "now", "p50", "p95", "p99", "in flight"} {
		if x, y := place(a, word), place(b, word); x != y || x < 0 {
			t.Errorf("%q stands in column %d, then in %d", word, x, y)
		}
	}
}

func place(lines []string, word string) int {
	for _, line := range lines {
		if before, _, ok := strings.Cut(line, " "+word); ok {
			return columns(before)
		}
	}
	return -1
}

func TestPlainGolden(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, name := range []string{"waiting", "open", "closed", "paired", "failing", "nothing answered", "target", "target of many", "hostile"} {
		rows := watched[name]()
		fmt.Fprintf(&b, "%s: %s\n", name, Plain(rows[len(rows)-1]))
	}
	golden(t, "watch/plain.txt", []byte(b.String()))
}
