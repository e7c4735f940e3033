//go:build !linux

package wire

import (
	"net/netip"
	"time"
)

// open makes a link to an address.
func (d *dialing) open(to netip.AddrPort, from netip.Addr, deadline time.Duration) (*link, error) {
	return d.openPortably(to, from, deadline)
}
