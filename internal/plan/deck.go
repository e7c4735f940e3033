package plan

import (
	"math"
	"math/bits"
)

// A Deck deals out scenarios by weight. Weights are brought to whole numbers w
// without a common divisor; a round is their sum S of cards, w of them for a
// scenario of weight w. Every round is exact. Rounds longer than a hand of 64
// cards are spread out, so that shorter runs are near exact too: within a round,
// any hand holds each scenario in its share, give or take a few cards. Inside a
// hand the order is shuffled, anew for each, lest the picks keep step with
// something else that is periodic.
//
// Card n is a function of n: a Deck has no state, users share it, and parts of a
// plan deal from the same one. It costs some tens of nanoseconds whatever the
// weights.
type Deck struct {
	seed  uint64
	cards []card
	round uint64 // S
	step  uint64 // coprime to S: card p of a round is p*step mod S, before the shuffle
}

type card struct {
	below    uint64 // sum of the weights up to and with this one
	scenario int
}

const hand = 64

// Deck is the deck of a track's scenarios that share by weight, or nil when
// there are none.
func (p Plan) Deck(track int) *Deck {
	var d deckMaker
	for _, s := range p.Tracks[track].Shares {
		if s.Users == 0 {
			d.add(s.Scenario, s.Weight)
		}
	}
	return d.make(newMix(p.Seed, uint64(track), saltDeck))
}

// At is the scenario on card n of this deck, n from 0.
func (d *Deck) At(n int64) int {
	if len(d.cards) == 1 {
		return d.cards[0].scenario
	}
	round, p := uint64(n)/d.round, uint64(n)%d.round
	first := p / hand * hand
	size := min(hand, d.round-first)
	p = first + shuffle(p-first, size, hash(d.seed^hash(round))^hash(first))
	// Each round starts elsewhere, so that rounds are not alike.
	hi, lo := bits.Mul64(p, d.step)
	_, p = bits.Div64(hi, lo, d.round)
	p = (p + hash(d.seed+round)%d.round) % d.round
	for _, c := range d.cards {
		if p < c.below {
			return c.scenario
		}
	}
	panic("plan: card beyond the deck")
}

// shuffle maps x to its place in a permutation of 0..n-1 that key chooses: the
// swap-or-not shuffle (Hoang, Morris, Rogaway, "An enciphering scheme based on a
// card shuffle", 2012), which finds one place without making the others.
func shuffle(x, n, key uint64) uint64 {
	const rounds = 8 // leaves 1 card in 256 where it was; secrets would need more
	for r := range uint64(rounds) {
		k := hash(key + r)
		partner := k%n + n - x
		if partner >= n {
			partner -= n
		}
		if hash(k^max(x, partner))&1 == 1 {
			x = partner
		}
	}
	return x
}

// A deckMaker collects weights.
type deckMaker struct {
	scenarios []int
	weights   []float64
}

func (d *deckMaker) add(scenario int, weight float64) {
	if weight > 0 {
		d.scenarios = append(d.scenarios, scenario)
		d.weights = append(d.weights, weight)
	}
}

func (d *deckMaker) make(seed mix) *Deck {
	if len(d.weights) == 0 {
		return nil
	}
	deck := &Deck{seed: uint64(seed)}
	for i, w := range whole(d.weights) {
		deck.round += w
		deck.cards = append(deck.cards, card{deck.round, d.scenarios[i]})
	}
	deck.step = coprime(deck.round)
	return deck
}

// whole brings weights to whole numbers in the same proportion, as small as they
// get. Up to six decimal places are kept exactly; what is finer is rounded there,
// but never to nothing.
func whole(weights []float64) []uint64 {
	scale := 1.0
	for scale < 1e6 && !allWhole(weights, scale) {
		scale *= 10
	}
	out := make([]uint64, len(weights))
	var div uint64
	for i, w := range weights {
		out[i] = max(1, uint64(math.Round(w*scale)))
		div = gcd(div, out[i])
	}
	for i := range out {
		out[i] /= div
	}
	return out
}

func allWhole(weights []float64, scale float64) bool {
	for _, w := range weights {
		if v := w * scale; math.Abs(v-math.Round(v)) > 1e-9*max(1, v) {
			return false
		}
	}
	return true
}

// coprime is the number nearest to n times the golden section that has no
// divisor in common with n: multiples of the golden section spread most evenly
// (Knuth, "The Art of Computer Programming" volume 3, section 6.4).
func coprime(n uint64) uint64 {
	g := max(1, uint64(float64(n)/math.Phi))
	for gcd(g, n) != 1 {
		g++
	}
	return g
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// A Seating says which users run one scenario only.
type Seating struct{ deck *Deck }

// Seating is the seating of a closed track. A scenario with users of its own has
// exactly that many of the seats below the track's peak level, spread out, so
// that it has its share of a lower level too.
func (p Plan) Seating(track int) Seating {
	t := p.Tracks[track]
	var d deckMaker
	free := int(math.Ceil(t.Peak()))
	for _, s := range t.Shares {
		if s.Users > 0 {
			d.add(s.Scenario, float64(s.Users))
			free -= s.Users
		}
	}
	if len(d.weights) == 0 {
		return Seating{}
	}
	d.add(-1, float64(max(free, 0)))
	return Seating{d.make(newMix(p.Seed, uint64(track), saltSeats))}
}

// At is the scenario that the user in a seat (from 0, over all parts) is bound
// to; ok is false when it draws from the track's deck.
func (s Seating) At(seat int64) (scenario int, ok bool) {
	if s.deck == nil {
		return 0, false
	}
	scenario = s.deck.At(seat)
	return scenario, scenario >= 0
}
