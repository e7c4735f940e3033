package plan

// Shard is part i of n (from 0) of the plan, for load from several machines.
// Arrivals, users, iterations and cards of the deck are dealt out in turn: part
// i gets those whose number leaves i when divided by n. All parts together do
// exactly what the whole plan does, at the same moments, with the same picks.
func (p Plan) Shard(i, n int) Plan {
	p.Part, p.Parts = i, n
	return p
}

// Global is the number in the whole plan of this part's i-th arrival, user,
// iteration or card of one track.
func (p Plan) Global(i int64) int64 {
	return int64(p.Part) + i*int64(p.parts())
}

// Number makes a number within a track (over all parts) into one that no other
// track uses. With one track they are the same.
func (p Plan) Number(track int, n int64) int64 {
	return n*int64(len(p.Tracks)) + int64(track)
}

// Iterations is this part's share of the iterations that the users of a track
// share; ok is false when there is no limit. A part may be left with none.
func (p Plan) Iterations(track int) (n int64, ok bool) {
	total := p.Tracks[track].Iterations
	return p.share(total), total > 0
}

func (p Plan) parts() int { return max(p.Parts, 1) }

// share is how many of the numbers below total fall to this part.
func (p Plan) share(total int64) int64 {
	n := int64(p.parts())
	q, rest := total/n, total%n
	if int64(p.Part) < rest {
		q++
	}
	return q
}
