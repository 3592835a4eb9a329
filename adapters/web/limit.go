package web

import (
	"hash/maphash"
	"net"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// How often one address may try tokens that lead nowhere: unknownBurst times at once, and then once
// in unknownInterval. A person who types a code wrongly stays below it.
const (
	unknownBurst    = 30
	unknownInterval = 2 * time.Second
)

// limiterSize is how many addresses are told apart at most. Addresses beyond it share a limit.
const limiterSize = 4096

// limiter limits how often an address may do something. It takes the same memory for any number of
// addresses.
type limiter struct {
	now   func() time.Time
	seed  maphash.Seed
	rates [limiterSize]*rate.Limiter
}

func newLimiter(now func() time.Time) *limiter {
	l := &limiter{now: now, seed: maphash.MakeSeed()}
	for i := range l.rates {
		l.rates[i] = rate.NewLimiter(rate.Every(unknownInterval), unknownBurst)
	}
	return l
}

// allow reports whether the address of a request may do it once more.
func (l *limiter) allow(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() && !ip.Is4In6() {
		if network, err := ip.WithZone("").Prefix(64); err == nil { // what one customer is given
			host = network.String()
		}
	}
	i := maphash.String(l.seed, host) % limiterSize
	return l.rates[i].AllowN(l.now(), 1)
}
