package cli

import "github.com/loadline-ci/loadline/internal/rule"

const (
	// mostCalls is how many calls to GitHub's API one run may make: a GITHUB_TOKEN
	// has 1,000 an hour for all jobs of a repository together.
	mostCalls = 25
	// mostSingles is how many stored runs of one spec are fetched one by one; those
	// in a pack cost nothing more.
	mostSingles = 12
	// leastSingles are fetched whatever it comes to: without them there would be
	// nothing to compare with. Only many specs in one job ever need it.
	leastSingles = 2
)

// spare is how many calls are left for what a run can do with less of, when so
// many must follow.
func (c *ciRun) spare(after int) int { return max(mostCalls-c.client.Calls()-after, 0) }

// singles is how many stored runs of the next spec may be fetched one by one; a
// negative number: any.
func (c *ciRun) singles() int {
	if c.client == nil {
		return -1
	}
	c.looked++
	left := max(len(c.specs)-c.looked+1, 1)                           // specs, this one among them
	n := c.spare(c.callsToPublish()+c.callsForAttempts()+left) / left // and a pack for each
	return min(max(n, leastSingles), mostSingles)
}

// callsForAttempts is what reading the earlier attempts of this run may cost.
func (c *ciRun) callsForAttempts() int {
	if c.event.RunAttempt <= 1 {
		return 0
	}
	return len(c.in.artifacts) * (1 + min(c.event.RunAttempt-1, mostAttempts))
}

// callsToPublish is what may follow a measurement: reading what people accept,
// check runs, the comment and the baseline.
func (c *ciRun) callsToPublish() int {
	n := len(c.checks)
	if c.store.mayUpdate() {
		n += 5 * max(len(c.specs), 1)
	}
	if c.tracks() {
		n += 3 * max(len(c.specs), 1) // the issue: found, opened or changed, looked at again
	}
	comments, commits := 1, 1
	switch {
	case c.pull != nil:
		comments, commits = pages(c.pull.Comments), pages(c.pull.Commits)
	case c.event.ForPull(), c.event.OnDefaultBranch() && len(c.in.accept) > 0:
		n++ // finding the pull request
	default:
		return n
	}
	if c.event.ForPull() || c.in.accept[rule.ViaComment] || c.in.accept[rule.ViaLabel] {
		n += comments
	}
	if c.event.ForPull() {
		n += 2 // one to write the comment, and one to look again
	}
	if c.in.accept[rule.ViaTrailer] {
		n += commits
	}
	if c.in.accept[rule.ViaComment] {
		n += 2 // who may write
	}
	if c.in.accept[rule.ViaLabel] {
		n += 4 // two pages of events, who may write, when the run was made
	}
	return n
}

// pages is how many calls a list of n takes, at 100 a page.
func pages(n int) int { return max((n+99)/100, 1) }
