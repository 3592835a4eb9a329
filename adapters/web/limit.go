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

// How often a session may send something: sentBurst times at once, and then once in sentInterval. The
// store remembers each for ten minutes, so that it counts once. A person reads before they press.
const (
	sentBurst    = 100
	sentInterval = time.Second
)

// limiterSize is how many keys are told apart at most. Keys beyond it share a limit.
const limiterSize = 4096

// limiter limits how often something may be done by those that a key stands for, such as an address.
// It takes the same memory for any number of keys.
type limiter struct {
	now   func() time.Time
	seed  maphash.Seed
	rates [limiterSize]*rate.Limiter
}

// newLimiter returns a limiter that allows a burst, and then once in each interval.
func newLimiter(now func() time.Time, burst int, interval time.Duration) *limiter {
	l := &limiter{now: now, seed: maphash.MakeSeed()}
	for i := range l.rates {
		l.rates[i] = rate.NewLimiter(rate.Every(interval), burst)
	}
	return l
}

// allow reports whether those that the key stands for may do it once more.
func (l *limiter) allow(key string) bool {
	i := maphash.String(l.seed, key) % limiterSize
	return l.rates[i].AllowN(l.now(), 1)
}

// origin returns the address of a request without its port, or the network of an IPv6 address.
func origin(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() && !ip.Is4In6() {
		if network, err := ip.WithZone("").Prefix(64); err == nil { // what one customer is given
			host = network.String()
		}
	}
	return host
}
