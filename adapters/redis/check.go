package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// Warning is a sentence for the operator: what of the server's settings puts answers at risk, and what to set.
type Warning string

// Check looks at the version and the settings of the server, or of each master of a cluster. It reads INFO,
// which is allowed in many places where CONFIG is not.
func (s *Store) Check(ctx context.Context) []Warning {
	cluster, ok := s.client.(*goredis.ClusterClient)
	if !ok {
		return judge(s.client.Info(ctx).Result())
	}
	var mu sync.Mutex
	var all []Warning
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, master *goredis.Client) error {
		warnings := judge(master.Info(ctx).Result())
		mu.Lock()
		defer mu.Unlock()
		all = append(all, warnings...)
		return nil
	})
	if err != nil {
		all = append(all, judge("", err)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// judge reads what a server answered to INFO.
func judge(info string, err error) []Warning {
	if err != nil {
		return []Warning{Warning(fmt.Sprintf("Could not ask Redis about its settings (%v). Make sure that it is 7.0 or later, "+
			"and has appendonly yes and maxmemory-policy noeviction.", fault(err)))}
	}
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	var all []Warning
	version := fields["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	switch n, err := strconv.Atoi(major); {
	case err != nil:
		all = append(all, "Redis does not tell its version. It must be 7.0 or later.")
	case n < 7:
		all = append(all, Warning("Redis "+version+" is too old: answers can be kept from 7.0 on. Update it."))
	}
	switch fields["aof_enabled"] {
	case "1":
	case "0":
		all = append(all, "Redis does not write answers to disk as they come (appendonly is no): those given since its "+
			"last snapshot are lost when it stops. Set appendonly yes.")
	default:
		all = append(all, "Redis does not tell whether it writes answers to disk as they come. Make sure that appendonly is yes.")
	}
	switch policy := fields["maxmemory_policy"]; policy {
	case "noeviction":
	case "":
		all = append(all, "Redis does not tell what it does when its memory is full. Make sure that maxmemory-policy is noeviction.")
	default:
		all = append(all, Warning("Redis may delete answers when its memory is full (maxmemory-policy is "+policy+"). "+
			"Set maxmemory-policy noeviction."))
	}
	return all
}
