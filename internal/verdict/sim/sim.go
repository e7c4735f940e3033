// Package sim makes up runs whose truth is known, to measure how often the
// verdict is wrong. Only tests use it.
//
// A run is made at the level of rounds: for each round and step it draws the
// quantiles that so many requests would show, exactly as order statistics are
// distributed, and adds what machines do: a shift of the whole run, a shift of
// each step, a slow wander from round to round, and bursts of a bad neighbour.
package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
)

// A Class is a kind of noise. Its figures are standard deviations of ln latency,
// scaled to what was published and measured (docs/verdict.md).
type Class struct {
	Name    string
	Run     float64 // of the whole run: today's machine
	Lottery float64 // chance to land on a machine that is 25 % slower
	Step    float64 // of each step of a run: how this deployment turned out
	Tail    float64 // of its p95, beyond that; p99 has twice as much
	Round   float64 // of a round
	Rho     float64 // correlation of neighbouring rounds
	Burst   float64 // chance per second that a bad neighbour begins
	Length  float64 // mean seconds that it stays
	Size    float64 // how much slower it makes everything
	Tau     float64 // of the lasting difference of two deployments on one machine, p50
	HeavyDF float64 // Student-t step shifts with so many degrees of freedom; 0: normal
	Hog     bool    // a quarter of the seconds delays 15 % of the requests
}

// The classes of docs/verdict.md.
var (
	Quiet  = Class{Name: "quiet", Tau: 0.005, Run: 0.02, Step: 0.012, Tail: 0.012, Round: 0.022, Rho: 0.3, Burst: 0.002, Length: 2, Size: 0.3}
	Shared = Class{Name: "shared", Tau: 0.014, Run: 0.06, Step: 0.024, Tail: 0.024, Round: 0.03, Rho: 0.4, Burst: 0.006, Length: 3, Size: 0.5}
	Noisy  = Class{Name: "noisy", Tau: 0.021, Run: 0.12, Lottery: 0.25, Step: 0.045, Tail: 0.04, Round: 0.08, Rho: 0.5, Burst: 0.01, Length: 7, Size: 0.6}
	Heavy  = Class{Name: "heavy", Tau: 0.014, Run: 0.06, Step: 0.024, Tail: 0.024, Round: 0.03, Rho: 0.4, Burst: 0.006, Length: 3, Size: 0.5, HeavyDF: 3}
	Hog    = Class{Name: "hog", Tau: 0.014, Run: 0.06, Step: 0.024, Tail: 0.024, Round: 0.03, Rho: 0.4, Burst: 0.006, Length: 3, Size: 0.5, Hog: true}
)

// A Target is what is measured, and how.
type Target struct {
	Class  Class
	Steps  int     // 5 when 0
	Rate   float64 // requests per second over all steps; 200 when 0
	Round  time.Duration
	Rounds int // 12 rounds of 5 s when 0
	// Control marks the last step as one that no change should move.
	Control bool
	// Whole also computes the quantiles of the whole run, for rules that look at
	// those, and remembers what Samples needs.
	Whole bool
}

// A Change is what the head does differently.
type Change struct {
	Step   int     // -1: all steps (but the control)
	By     float64 // ln of the ratio: math.Log(1.1)
	Tail   bool    // at p90 and above only
	Errors float64 // chance of a request to fail
}

// Sigma of the log-normal latency of one step, as real servers show it: the tail
// is wider than the body.
const (
	bodySpread = 0.30
	tailSpread = 0.40
)

func spreadAt(q float64) float64 {
	if q < 0.9 {
		return bodySpread
	}
	return tailSpread
}

// A Source makes runs of one target.
type Source struct {
	t       Target
	rng     *rand.Rand
	levels  []float64 // ln µs of the median of each step
	nextRun int
	rounds  map[*result.Summary][][]float64 // Whole: ln median by step and round
}

// New makes a source; the same seed gives the same runs.
func New(t Target, seed uint64) *Source {
	if t.Steps == 0 {
		t.Steps = 5
	}
	if t.Rate == 0 {
		t.Rate = 200
	}
	if t.Rounds == 0 {
		t.Rounds, t.Round = 12, 5*time.Second
	}
	s := &Source{t: t, rng: rand.New(rand.NewPCG(seed, 0x10ad)), rounds: map[*result.Summary][][]float64{}}
	for i := range t.Steps {
		s.levels = append(s.levels, math.Log(20_000)+0.4*float64(i%10))
	}
	return s
}

// Run measures the target once, with the change.
func (s *Source) Run(changes ...Change) *result.Summary {
	c := s.t.Class
	s.nextRun++
	sum := &result.Summary{
		Spec: "sim", Fingerprint: "f", Commit: fmt.Sprintf("%07d", s.nextRun), Open: true,
		Started:  time.Date(2026, 1, 1, 0, 0, s.nextRun, 0, time.UTC),
		Measured: time.Duration(s.t.Rounds) * s.t.Round,
	}
	shift := s.normal(c.Run)
	if s.rng.Float64() < c.Lottery {
		shift += math.Log(1.25)
	}
	w := s.weather(s.t.Round.Seconds())
	total := result.Row{Scope: result.ScopeTotal, Rate: result.Figure{Y: 0, SE: 0.001, K: s.t.Rounds}, Rounds: s.t.Rounds}
	for e := range s.t.Steps {
		control := s.t.Control && e == s.t.Steps-1
		row, medians := s.step(e, shift, w, control, changes)
		if s.t.Whole {
			s.rounds[sum] = append(s.rounds[sum], medians)
		}
		total.Requests += row.Requests
		total.Errored += row.Errored
		total.Failed += row.Failed
		sum.Rows = append(sum.Rows, row)
	}
	sum.Rows = append([]result.Row{total}, sum.Rows...)
	return sum
}

// StepName names step i.
func StepName(i int) string { return fmt.Sprintf("GET /%d", i) }

// Runs measures the target n times without any change, newest first.
func (s *Source) Runs(n int) []*result.Summary {
	all := make([]*result.Summary, n)
	for i := range all {
		all[n-1-i] = s.Run()
	}
	return all
}

func (s *Source) normal(sd float64) float64 { return sd * s.rng.NormFloat64() }

// deployment draws how one step of one run turned out.
func (s *Source) deployment(sd float64) float64 {
	if df := s.t.Class.HeavyDF; df > 2 {
		t := distuv.StudentsT{Sigma: 1, Nu: df, Src: s.rng}.Rand()
		return sd * t / math.Sqrt(df/(df-2)) // of the same standard deviation
	}
	return s.normal(sd)
}

// weather is what every step feels alike, by round: the wander of the machine
// and the bursts of its neighbours; and the share of the round with a hog.
type weather struct{ shift, hog []float64 }

func (s *Source) weather(seconds float64) weather {
	c := s.t.Class
	w := weather{shift: s.wander(s.t.Rounds, c.Round, c.Rho), hog: make([]float64, s.t.Rounds)}
	left := 0.0
	for i := range w.shift {
		busy := min(left, seconds)
		left -= busy
		if left <= 0 && s.rng.Float64() < c.Burst*seconds {
			left = s.rng.ExpFloat64() * c.Length
			now := min(left, seconds*s.rng.Float64())
			busy += now
			left -= now
		}
		w.shift[i] += c.Size * min(1, busy/seconds)
		if c.Hog {
			// A quarter of the seconds, in stretches.
			w.hog[i] = min(1, max(0, 0.25+s.normal(0.25/math.Sqrt(seconds))))
		}
	}
	return w
}

// wander is an AR(1) series of n rounds.
func (s *Source) wander(n int, sd, rho float64) []float64 {
	xs := make([]float64, n)
	x := s.normal(sd)
	for i := range xs {
		xs[i] = x
		x = rho*x + s.normal(sd*math.Sqrt(1-rho*rho))
	}
	return xs
}

func (s *Source) step(e int, shift float64, w weather, control bool, changes []Change) (result.Row, []float64) {
	c := s.t.Class
	perRound := s.t.Rate / float64(s.t.Steps) * s.t.Round.Seconds()
	n := int64(perRound * float64(s.t.Rounds))
	row := result.Row{
		Scope: result.ScopeStep, Step: StepName(e), Control: control,
		Requests: n, Rounds: s.t.Rounds,
	}
	body, tail, failing := 0.0, 0.0, 0.0
	for _, ch := range changes {
		if ch.Step != e && (ch.Step != -1 || control) {
			continue
		}
		tail += ch.By
		if !ch.Tail {
			body += ch.By
		}
		failing += ch.Errors
	}
	s.errors(&row, perRound, failing)
	own := s.wander(s.t.Rounds, c.Round/2, c.Rho)
	level := s.levels[e] + shift + s.deployment(c.Step)
	beyond := s.deployment(c.Tail)
	for _, q := range []float64{0.50, 0.95, 0.99} {
		at := level + body
		if q >= 0.9 {
			at = level + tail + beyond
		}
		if q > 0.97 {
			at += beyond
		}
		got := s.quantile(q, at, n, perRound, w, own)
		if s.t.Whole {
			got.Micros = s.whole(q, at, n, w, own)
		}
		row.Latency = append(row.Latency, got)
	}
	medians := make([]float64, s.t.Rounds)
	for i := range medians {
		medians[i] = level + body + w.shift[i] + own[i]
	}
	return row, medians
}

// quantile draws the quantile of each chunk of rounds, as result would read it.
func (s *Source) quantile(q, level float64, n int64, perRound float64, w weather, own []float64) result.Quantile {
	per := 1
	for float64(per)*perRound < 2/(1-q)-1e-9 && per < s.t.Rounds {
		per++
	}
	if float64(n) < 10*2/(1-q) {
		for per = 1; float64(per)*perRound < max(1/(1-q), float64(n)/10)-1e-9 && per < s.t.Rounds; {
			per++
		}
	}
	var values []float64
	for i := 0; i+per <= s.t.Rounds; i += per {
		end := i + per
		if s.t.Rounds-end < per {
			end = s.t.Rounds // what is left joins the last chunk
		}
		moved, hog := 0.0, 0.0
		for r := i; r < end; r++ {
			moved += (w.shift[r] + own[r]) / float64(end-i)
			hog += w.hog[r] / float64(end-i)
		}
		values = append(values, level+moved+s.order(q, int64(perRound*float64(end-i)), hog))
		if end == s.t.Rounds {
			break
		}
	}
	l := stat.Locate(values)
	fig := result.Figure{Y: l.Y, SE: l.SE, K: l.K}
	if l.K < 2 {
		fig.SE = 0.1
	}
	return result.Quantile{Q: q, Figure: fig, N: n, Micros: int64(math.Exp(l.Y))}
}

// order draws ln quantile q of n requests, relative to the median of all: the
// rank-k value of n uniform ones has a beta distribution.
func (s *Source) order(q float64, n int64, hog float64) float64 {
	k := max(1, math.Round((float64(n)+1.0/3)*q+1.0/3))
	k = min(k, float64(n))
	u := distuv.Beta{Alpha: k, Beta: float64(n) - k + 1, Src: s.rng}.Rand()
	u = min(max(u, 1e-9), 1-1e-9)
	if hog == 0 {
		return spreadAt(q) * distuv.UnitNormal.Quantile(u)
	}
	// A share of the requests takes three times as long.
	return mixed(u, 0.15*hog, spreadAt(q))
}

// mixed is the quantile u of latencies of which a share is delayed threefold.
func mixed(u, share, spread float64) float64 {
	low, high := -4.0, 5.0
	for range 24 {
		mid := (low + high) / 2
		p := (1-share)*distuv.UnitNormal.CDF(mid/spread) + share*distuv.UnitNormal.CDF((mid-math.Log(3))/spread)
		if p < u {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// whole is the quantile q of all requests of a run, in µs: that of a mixture of
// rounds, with the error that n requests leave.
func (s *Source) whole(q, level float64, n int64, w weather, own []float64) int64 {
	low, high := -3.0, 5.0
	spread := spreadAt(q)
	for range 30 {
		mid, p := (low+high)/2, 0.0
		for i, shift := range w.shift {
			p += distuv.UnitNormal.CDF((mid-shift-own[i])/spread) / float64(len(w.shift))
		}
		if p < q {
			low = mid
		} else {
			high = mid
		}
	}
	density := distuv.UnitNormal.Prob(distuv.UnitNormal.Quantile(q)) / spread
	return int64(math.Exp(level + low + s.normal(math.Sqrt(q*(1-q)/float64(n))/density)))
}

// Samples draws the latencies (as ln µs) of all requests of a step of a run that
// this source made with Whole set.
func (s *Source) Samples(run *result.Summary, step int) []float64 {
	medians := s.rounds[run][step]
	per := int(s.t.Rate / float64(s.t.Steps) * s.t.Round.Seconds())
	all := make([]float64, 0, per*len(medians))
	for _, m := range medians {
		for range per {
			all = append(all, m+s.normal(bodySpread))
		}
	}
	return all
}

// errors lets requests fail, each on its own.
func (s *Source) errors(row *result.Row, perRound, chance float64) {
	var shares []float64
	for range row.Rounds {
		var bad int64
		if chance > 0 {
			bad = int64(distuv.Binomial{N: math.Round(perRound), P: min(chance, 1), Src: s.rng}.Rand())
		}
		row.Errored += bad
		row.Failed += bad
		if bad > 0 {
			row.BadRounds++
		}
		shares = append(shares, float64(bad)/perRound)
	}
	l := stat.Locate(shares)
	row.ErrorShare = result.Figure{Y: l.Y, SE: l.SE, K: l.K}
}

// Of is a minimal run for a summary: enough for a verdict to take it as valid.
func Of(s *result.Summary) *result.Run {
	return &result.Run{
		Spec: s.Spec, Fingerprint: s.Fingerprint, Started: s.Started, Measured: s.Measured, Open: s.Open, Mode: "single",
		Catalog: result.Catalog{Steps: []result.Step{{Name: "GET /0"}}},
		Cells:   []result.Cell{{Key: result.Key{Status: 200}, Count: s.Rows[0].Requests}},
	}
}
