package stat

import "math"

// What a creep alarm needs, found by simulation (docs/verdict.md): the usual
// k = 0.5, h = 5 alarms on 95 of 100 flat histories, because the mean it
// measures against is itself estimated.
const (
	cusumReference = 20   // runs that set the level
	cusumSlack     = 1.0  // standard deviations a run may lie above it for nothing
	cusumAlarm     = 10.0 // sum of the excess that raises the alarm
	cusumClip      = 3.0  // most that one run may add, in standard deviations
)

// A Creep is a slow change of the level of a series.
type Creep struct {
	Up    bool
	Start int // the first run after the sum last was 0: the likely start
	At    int // the run that raised the alarm
}

// FindCreep looks through a series of run values, oldest first, for a change of
// level too slow to be seen from one run to the next: the cumulative sum of what
// each run after the first 20 lies above their median, in units of sd and less
// one sd each (Page, Biometrika 1954). It reports the first alarm of either
// direction. A value that is NaN or infinite is passed over.
func FindCreep(ys []float64, sd float64) (Creep, bool) {
	if len(ys) <= cusumReference || !(sd > 0) {
		return Creep{}, false
	}
	level := Median(ys[:cusumReference])
	var up, down float64
	upStart, downStart := cusumReference, cusumReference
	for i := cusumReference; i < len(ys); i++ {
		z := (ys[i] - level) / sd
		if !finite(z) {
			continue
		}
		z = math.Max(-cusumClip, math.Min(cusumClip, z))
		if up = math.Max(0, up+z-cusumSlack); up == 0 {
			upStart = i + 1
		}
		if down = math.Max(0, down-z-cusumSlack); down == 0 {
			downStart = i + 1
		}
		switch {
		case up > cusumAlarm:
			return Creep{Up: true, Start: upStart, At: i}, true
		case down > cusumAlarm:
			return Creep{Start: downStart, At: i}, true
		}
	}
	return Creep{}, false
}
