//go:build race

package verdict_test

// underRace: the race detector makes simulations ten times slower and finds
// nothing more in the thousandth than in the fiftieth.
const underRace = true
