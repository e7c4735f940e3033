package main

import (
	"fmt"
	"time"
)

// Of a client with many connections the first seconds are left out, in which it
// makes them: what is asked is what a request costs among many. Its turns are
// longer, as its first answers after a stop are those of all its connections.
const (
	growthWarmUp = 4 * time.Second
	growthTurn   = time.Second
	growthTurns  = 5 // of each round
	growthRounds = 5
)

// growth is what CPU a request costs at 10,000 connections against 100, for wrk
// and for loadline in turn.
func (b *bench) growth() error {
	var wrk, ours []float64
	for range growthRounds {
		clients := []*contender{
			{name: "wrk, 100 connections", args: b.wrkArgs(100), warm: time.Second},
			{name: "bench, 100 connections", args: b.benchArgs(100), warm: time.Second},
			{name: "wrk, 10,000 connections", args: b.wrkArgs(10_000), warm: growthWarmUp},
			{name: "bench, 10,000 connections", args: b.benchArgs(10_000), warm: growthWarmUp},
		}
		if err := b.contest(clients, growthTurns, growthTurn); err != nil {
			return err
		}
		wrk = append(wrk, clients[2].perRequest()/clients[0].perRequest())
		ours = append(ours, clients[3].perRequest()/clients[1].perRequest())
		for _, c := range clients {
			fmt.Printf("  %-42s %5.2f us\n", c.name, c.perRequest())
		}
	}
	for _, x := range []struct {
		name   string
		ratios []float64
	}{{"wrk", wrk}, {"bench", ours}} {
		fmt.Printf("%-44s %5.2f x  (rounds %s)\n", "CPU a request, 10,000 connections / 100, "+x.name, median(x.ratios), list(x.ratios))
	}
	return nil
}
