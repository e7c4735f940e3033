package cli

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
)

// maxRate is how many requests per second CI sends to a target elsewhere, unless
// the workflow says allow-high-load: a change to a spec must not turn a company's
// runners into a weapon. A target on the runner itself can hurt nobody else.
const maxRate = 2000

// rateSlack lets a second hold a little more than was planned: its edges fall
// where they fall.
const rateSlack = 1.2

// loopback are the names of this machine.
var loopback = []string{"127.0.0.1", "localhost", "::1", "[::1]"}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$") // RFC 9110 section 5.6.2

// mostRate is the cap for this workflow; 0: none.
func (in *ciInputs) mostRate() float64 {
	if in.highLoad {
		return 0
	}
	return maxRate
}

// capped says whether a spec's load is held to a cap.
func capped(s *spec.Spec, most float64) bool {
	if most == 0 {
		return false
	}
	u, err := url.Parse(s.Target.URL)
	if err != nil {
		return true
	}
	away := func(host string) bool { return !ownMachine(host) }
	return away(u.Hostname()) || len(s.Target.AllowHosts) > 0 || slices.ContainsFunc(detours(s), func(to string) bool { return away(hostOnly(to)) })
}

// ownMachine says whether a host is this machine, by its name or its address.
func ownMachine(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return slices.Contains(loopback, host) || ip != nil && ip.IsLoopback()
}

// checkRate refuses a load whose arrivals alone come to more than the cap, before
// anything is sent. What users of the closed model come to, only the run shows.
func checkRate(s *spec.Spec, most float64) error {
	if !capped(s, most) {
		return nil
	}
	var rate float64
	for _, t := range s.Load.Tracks {
		if t.Open {
			rate += t.Peak()
		}
	}
	if rate > most {
		return usagef("%s: asks for %s arrivals per second, and %s are the most in CI; nothing was sent; lower the rate, or set the input allow-high-load (LL05)",
			s.File, unit.Count(int64(rate)), unit.Count(int64(most)))
	}
	return nil
}

// tooFast says that a second had more requests than the cap; "" where it had not.
func tooFast(iv *result.Interval, s *spec.Spec, most float64) string {
	if !capped(s, most) || float64(iv.Second.Completed) <= most*rateSlack {
		return ""
	}
	return fmt.Sprintf("it sent %s requests in a second, and %s are the most in CI; lower the load, or set the input allow-high-load (LL05)",
		unit.Count(iv.Second.Completed), unit.Count(int64(most)))
}
