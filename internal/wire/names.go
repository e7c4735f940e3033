package wire

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// nameLife is how long a looked-up name is kept. Without it ten thousand users
// that start together would ask the name server ten thousand times, and their
// failures would be blamed on the target; with more, a test would not follow a
// target that moves. Failures are not kept.
const nameLife = 10 * time.Second

// maxNames bounds what is remembered, as templates can make names without end.
const maxNames = 1000

// names looks up hosts and remembers them for a while. Each caller is given the
// addresses in turn, as a name server would, so that load spreads over them.
type names struct {
	mu    sync.Mutex
	hosts map[string]*addresses
}

type addresses struct {
	all    []netip.Addr
	expiry time.Duration
	turn   int
}

// known returns the addresses of host, in the order in which to try them, or nil
// when they must be looked up.
func (n *names) known(host string) []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	if a := n.hosts[host]; a != nil && now() < a.expiry {
		return a.next()
	}
	return nil
}

// lookup looks up the addresses of host, of the family "ip", "ip4" or "ip6", and
// returns them as known does.
func (n *names) lookup(ctx context.Context, family, host string) ([]netip.Addr, error) {
	// The resolver itself makes one question of many equal ones.
	found, err := net.DefaultResolver.LookupNetIP(ctx, family, host)
	if err != nil {
		return nil, err
	}
	a := &addresses{all: found, expiry: now() + nameLife}
	for i := range a.all {
		a.all[i] = a.all[i].Unmap()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts == nil || len(n.hosts) >= maxNames {
		n.hosts = make(map[string]*addresses)
	}
	if old := n.hosts[host]; old != nil {
		a.turn = old.turn
	}
	n.hosts[host] = a
	return a.next(), nil
}

// next returns the addresses, turned by one among those of the family that the
// resolver put first; the other family stays what to fall back to.
func (a *addresses) next() []netip.Addr {
	first := 1
	for first < len(a.all) && a.all[first].Is4() == a.all[0].Is4() {
		first++
	}
	out := make([]netip.Addr, 0, len(a.all))
	at := a.turn % first
	a.turn++
	out = append(out, a.all[at:first]...)
	out = append(out, a.all[:at]...)
	return append(out, a.all[first:]...)
}
