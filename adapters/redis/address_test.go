package redis

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	type want struct {
		addrs                  []string
		user, password, master string
		database               int
		tls                    bool
		sentinels              [2]string // user and password
	}
	for address, w := range map[string]want{
		"redis://host":                      {addrs: []string{"host:6379"}},
		"redis://host:1/2":                  {addrs: []string{"host:1"}, database: 2},
		"redis://[::1]":                     {addrs: []string{"[::1]:6379"}},
		"redis://[::1]:7/":                  {addrs: []string{"[::1]:7"}},
		"rediss://bot:p%40s%2Fs%3A%2C@host": {addrs: []string{"host:6379"}, user: "bot", password: "p@s/s:,", tls: true},
		"redis://:only@host":                {addrs: []string{"host:6379"}, password: "only"},
		"redis://:pw@a:1,b,c:3/0":           {addrs: []string{"a:1", "b:6379", "c:3"}, password: "pw"},
		"rediss://conf:6379,conf:6379":      {addrs: []string{"conf:6379", "conf:6379"}, tls: true},
		"unix:///run/redis.sock":            {addrs: []string{"/run/redis.sock"}},
		"unix://bot:pw@/run/redis.sock":     {addrs: []string{"/run/redis.sock"}, user: "bot", password: "pw"},
		"redis-sentinel://:pw@a,b:2/main":   {addrs: []string{"a:26379", "b:2"}, password: "pw", master: "main"},
		"redis-sentinel://a/main/3":         {addrs: []string{"a:26379"}, master: "main", database: 3},
		"rediss-sentinel://bot:pw@a,b/main?sentinel_username=eye&sentinel_password=s%40e+e%2B%20": {
			addrs: []string{"a:26379", "b:26379"}, user: "bot", password: "pw", master: "main", tls: true, sentinels: [2]string{"eye", "s@e+e+ "},
		},
	} {
		o, err := parseAddress(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := (want{o.Addrs, o.Username, o.Password, o.MasterName, o.DB, o.TLSConfig != nil, [2]string{o.SentinelUsername, o.SentinelPassword}}); !reflect.DeepEqual(got, w) {
			t.Errorf("%s: got %+v, want %+v", address, got, w)
		}
		if !o.ContextTimeoutEnabled || o.MaintNotificationsConfig.Mode != "disabled" {
			t.Errorf("%s: careless options", address)
		}
	}
}

// TestAddressErrorsOmitAddress checks that an error repeats no part of a mistyped address, because
// any part may be the password.
func TestAddressErrorsOmitAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "hunter2", "host:6379", "http://u:hunter2@host", "redis://", "redis://u:hunter2@", "redis://u:%hunter2@host",
		"redis://u:hunt/er2hunter2@host", "redis://u:hunter2@host:hunter2", "redis://u:hunter2@host/hunter2", "redis://u:hunter2@host/-1",
		"redis://u:hunter2@a,,b", "redis://u:hunter2@a,b/1", "redis://u:hunter2@host?db=1", "redis://::1", "redis://:1",
		"redis://u:hun@ter2hunter2@host", "unix://hunter2", "redis-sentinel://u:hunter2@a", "redis-sentinel://u:hunter2@a/main/hunter2",
		"rediss-unix://hunter2", "redis://u:p@host?sentinel_password=hunter2", "redis-sentinel://a/main?sentinel_pasword=hunter2",
		"redis-sentinel://a/main?sentinel_password=hunter2&sentinel_password=hunter2", "redis-sentinel://a/main?sentinel_password=%hunter2",
		"redis-sentinel://a/main?sentinel_password=hunter2#", "unix:///run/sock?hunter2", "redis://u:hunt?er2hunter2@host",
	} {
		_, err := Open(t.Context(), address)
		if !errors.Is(err, errAddress) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got error %v", address, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, "redis://u:hunter2@127.0.0.1:1")
	if !errors.Is(err, survey.ErrUnavailable) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("no listener: got error %v", err)
	}
}

// TestDeadline checks that Open ends at the caller's deadline although the server does not reply.
func TestDeadline(t *testing.T) {
	t.Parallel()
	p := redistest.ProxyTo(t, miniredis.RunT(t).Addr())
	p.Drop("hello", func() { <-t.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := Open(ctx, "redis://"+p.Addr); !errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("got error %v", err)
	}
	if took := time.Since(began); took > commandTimeout {
		t.Errorf("took %v", took)
	}
}
