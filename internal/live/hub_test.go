package live_test

import (
	"testing"
	"testing/synctest"

	"github.com/loadline-ci/loadline/internal/live"
)

// Whoever publishes is the goroutine that collects the run: it must never wait,
// and who is slow must see the newest rows.
func TestSlowWatchersLoseOldRows(t *testing.T) {
	t.Parallel()
	hub := &live.Hub{}
	rows, _ := hub.Watch()
	const published = 100
	for i := range published {
		hub.Publish(&live.Row{Users: i})
	}
	hub.Close()
	var got []int
	for row := range rows {
		got = append(got, row.Users)
	}
	if len(got) == 0 || len(got) > 20 || got[len(got)-1] != published-1 {
		t.Errorf("a watcher that slept sees rows %v, want a few that end with %d", got, published-1)
	}
	for i := 1; i < len(got); i++ {
		if got[i] != got[i-1]+1 {
			t.Errorf("rows %v are not the last ones in order", got)
		}
	}
}

func TestFollowShowsEveryRowInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := &live.Hub{}
		hub.Publish(&live.Row{Users: 1})
		var got []int
		stop := hub.Follow(func(r *live.Row) { got = append(got, r.Users) })
		for i := 2; i <= 50; i++ {
			synctest.Wait()
			hub.Publish(&live.Row{Users: i})
		}
		hub.Close()
		stop()
		stop()
		if len(got) != 50 || got[0] != 1 || got[49] != 50 {
			t.Errorf("got %v", got)
		}
	})
}

func TestWatchAfterTheEndIsToldTheLastRow(t *testing.T) {
	t.Parallel()
	hub := &live.Hub{}
	hub.Publish(&live.Row{Users: 9})
	hub.Close()
	hub.Publish(&live.Row{Users: 10})
	rows, leave := hub.Watch()
	defer leave()
	var got []int
	for row := range rows {
		got = append(got, row.Users)
	}
	if len(got) != 1 || got[0] != 9 {
		t.Errorf("got rows %v, want the last one, 9", got)
	}
}

func TestLeavingEndsTheRows(t *testing.T) {
	t.Parallel()
	hub := &live.Hub{}
	rows, leave := hub.Watch()
	leave()
	leave()
	hub.Publish(&live.Row{})
	if _, more := <-rows; more {
		t.Error("rows come to one that left")
	}
}

func TestNobodyWatches(t *testing.T) {
	t.Parallel()
	var hub *live.Hub
	hub.Publish(&live.Row{})
	hub.Close()
}
