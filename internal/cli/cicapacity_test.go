//go:build unix

package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A pull request from a fork could not raise "target.cpu.max < 90%", and could
// double the capacity that this is a share of instead, unseen.
func TestCapacitiesAreWhatALimitAllows(t *testing.T) {
	t.Parallel()
	asks := func(series string) string { return "[[observe]]\nscrape = \"/metrics\"\nseries = { " + series + " }\n" }
	base := observing(t, "base", "http://127.0.0.1:1", asks(`cpu = { expr = "c", limit = 4 }, memory = { expr = "m_bytes", limit = "2GiB" }, open = { expr = "o" }, gone = { expr = "g", limit = 1 }`)).spec
	head := observing(t, "head", "http://127.0.0.1:1", asks(`cpu = { expr = "c", limit = 8 }, memory = { expr = "m_bytes" }, open = { expr = "o", limit = 9 }, new = { expr = "n", limit = 3 }`)).spec
	want := []string{"cpu of 8 instead of 4", "memory of no capacity instead of 2.15 GB", "open of 9 instead of no capacity"}
	if diff := cmp.Diff(capacityChanges(base, head), want); diff != "" {
		t.Errorf("changes (-got +want):\n%s", diff)
	}
	keepCapacities(base, head)
	if got := capacityChanges(base, head); got != nil {
		t.Errorf("still changed: %v", got)
	}
	if got := head.Observe[0].Series[3]; got.Role != "new" || got.Limit != 3 {
		t.Errorf("what base does not have is %+v", got)
	}
}
