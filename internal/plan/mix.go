package plan

import "math"

// Salts keep the random streams of one seed apart.
const (
	saltArrivals uint64 = iota + 1
	saltDeck
	saltSeats
)

// mix is splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", 2014). It is written out here, so that a seed gives the same plan
// with every version of Go.
type mix uint64

func newMix(seed int64, parts ...uint64) mix {
	m := mix(seed)
	for _, p := range parts {
		m = mix(m.next() ^ hash(p))
	}
	return m
}

func (m *mix) next() uint64 {
	*m += 0x9e3779b97f4a7c15
	return hash(uint64(*m))
}

// exp draws from the exponential distribution of mean 1. The half keeps the
// logarithm finite.
func (m *mix) exp() float64 {
	u := (float64(m.next()>>11) + 0.5) / (1 << 53)
	return -math.Log(u)
}

// hash is the finalizer of splitmix64: a bijection in which each bit of the
// input moves half of the output's.
func hash(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
