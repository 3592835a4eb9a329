package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// ACL is what a user of Redis must be allowed for the bot, in the words of ACL SETUSER: its keys,
// the commands on them, and what connections take. Without bgrewriteaof, the secret of a closed
// round stays in the append-only file until Redis rewrites that itself. Without slowlog|reset,
// answers and their times may stay in the log of slow commands. Without info, config|get and time,
// the bot cannot warn of settings that put answers at risk.
const ACL = "resetchannels ~round:* ~secret:* ~roster:* ~responses:* ~response:* " +
	"~operation_times:* ~owed:* ~planned:* ~zones:* ~audit:* ~erased:* ~rounds ~due " +
	"~plans ~schema ~journals ~person:* ~channel:* ~event:* ~assessment:* ~assessments ~area:* " +
	"~ballot:* ~votes:* ~attendance:* ~objections:* ~links:* ~link_index:*\n" +
	"+multi +exec +eval +evalsha +exists +type +del +unlink +rename +ttl +expire " +
	"+expireat +expiretime +get +set +hget +hmget +hgetall +hexists +hset +hsetnx +hdel " +
	"+hincrby +hlen +hscan +sadd +smembers +sscan\n" +
	"+lindex +llen +lrange +rpush\n" +
	"+zadd +zrem +zrange +zrangebylex +zrangebyscore +zrevrange +zrevrangebyscore +zcount " +
	"+zscore +zscan\n" +
	"+hello +ping +select +cluster|slots +info +config|get +time +bgrewriteaof " +
	"+slowlog|reset"

// Warning is a sentence for the operator: which setting of the server puts answers at risk, and
// what to set.
type Warning string

// maxClockSkew is how far the clock of Redis may be from this machine's. Rounds expire by the clock
// of Redis, and everything else goes by the clock of the process, so the clocks of several
// processes must agree. Redis is what each can be compared with.
const maxClockSkew = 5 * time.Second

// Check returns warnings about the server, or about the masters of a cluster. It reads INFO, which
// is allowed in many places where CONFIG is not.
func (s *Store) Check(ctx context.Context) []Warning {
	_, warnings, err := s.Describe(ctx)
	if err != nil {
		warnings = append(warnings, Warning(err.Error()))
	}
	return warnings
}

// Describe returns a line about the server, or about each master of a cluster: what it is, how it
// persists data, and how much memory it uses. It also returns warnings, and an error when the
// server cannot keep data at all, with what to do.
func (s *Store) Describe(ctx context.Context) (lines []string, warnings []Warning, err error) {
	cluster, ok := s.client.(*goredis.ClusterClient)
	if !ok {
		line, fields, all := describe(ctx, s.client)
		all = append(all, copyWarnings(ctx, s.client)...)
		if single, ok := s.client.(*goredis.Client); ok {
			all = append(all, passwordWarnings(single.Options().Password)...)
		}
		return []string{line}, all, wrongServerError(fields)
	}
	var mu sync.Mutex
	err = cluster.ForEachMaster(ctx, func(ctx context.Context, master *goredis.Client) error {
		line, _, all := describe(ctx, master)
		all = append(all, copyWarnings(ctx, master)...)
		all = append(all, passwordWarnings(master.Options().Password)...)
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, master.Options().Addr+": "+line)
		warnings = append(warnings, all...)
		return nil
	})
	if err != nil {
		warnings = append(warnings, settingWarnings(nil, err)...)
	}
	slices.Sort(lines)
	slices.Sort(warnings)
	return lines, slices.Compact(warnings), nil
}

// wrongServerError returns why a server, by its INFO, is not the one to use, or nil.
func wrongServerError(fields map[string]string) error {
	switch {
	case fields["redis_mode"] == "sentinel":
		return errors.New("this is a Sentinel and not the Redis that it watches: " +
			"write redis-sentinel://host:26379/mastername")
	case fields["redis_mode"] == "cluster":
		return errors.New("this is one node of a cluster: " +
			"name at least two nodes, redis://a:6379,b:6379")
	case fields["role"] == "slave":
		return errors.New("this is a replica, which cannot store answers: " +
			"give the address of its master, or of the Sentinels")
	}
	return nil
}

// passwordWarnings warns of a server that let the bot in without a password.
func passwordWarnings(password string) []Warning {
	if password != "" {
		return nil
	}
	return []Warning{"Redis has no password: " +
		"anybody who reaches its address can read everything, " +
		"and while a survey is open whose answers are whose. " +
		"Set requirepass, or a user of the bot's own (docs/redis.md), " +
		"and put the password into REDIS_URL."}
}

// copyWarnings warns of copies that a server keeps of erased data: its log of slow commands, and
// snapshots.
func copyWarnings(ctx context.Context, server goredis.Cmdable) []Warning {
	slow, slowErr := server.ConfigGet(ctx, "slowlog-log-slower-than").Result()
	save, saveErr := server.ConfigGet(ctx, "save").Result()
	var all []Warning
	switch threshold, known := slow["slowlog-log-slower-than"]; {
	case slowErr != nil || !known:
		all = append(all, "Redis does not say whether it keeps slow commands, "+
			"which contain answers and their times. "+
			"Make sure that slowlog-log-slower-than is -1.")
	case threshold != "-1":
		all = append(all, Warning("Redis keeps slow commands "+
			"(slowlog-log-slower-than is "+threshold+"), "+
			"which contain answers and their times. "+
			"The bot empties that log after each survey, if it is allowed slowlog|reset. "+
			"Set slowlog-log-slower-than -1."))
	}
	switch points, known := save["save"]; {
	case saveErr != nil || !known:
		all = append(all, "Redis does not say whether it writes snapshots, "+
			"which contain the secrets of open surveys until the next is written. "+
			`Make sure that save is "".`)
	case points != "":
		all = append(all, Warning("Redis writes snapshots (save is "+points+"). "+
			"After a close its secret stays in the last one until the next is written. "+
			`With appendonly yes they are not needed: set save "".`))
	}
	return all
}

// describe returns a line about one server, its INFO by field, and warnings.
func describe(ctx context.Context, server goredis.Cmdable) (string, map[string]string, []Warning) {
	info, err := server.Info(ctx).Result()
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	// INFO does not have it, and many providers refuse CONFIG.
	if set, err := server.ConfigGet(ctx, "appendfsync").Result(); err == nil {
		fields["appendfsync"] = set["appendfsync"]
	}
	warnings := settingWarnings(fields, err)
	if err != nil {
		return "it responds, but gives no details", fields, warnings
	}
	line := fmt.Sprintf("%s %s, %s",
		cmp.Or(fields["server_name"], "redis"),
		cmp.Or(fields["valkey_version"], fields["redis_version"]),
		cmp.Or(fields["role"], "role unknown"))
	if n := fields["connected_slaves"]; n != "" && n != "0" {
		line += ", replicas " + n
	}
	switch {
	case fields["aof_enabled"] == "1":
		line += ", appendonly yes, appendfsync " + cmp.Or(fields["appendfsync"], "not told")
	default:
		line += ", appendonly no"
	}
	limit := fields["maxmemory_human"]
	if fields["maxmemory"] == "0" {
		limit = "no limit"
	}
	line += fmt.Sprintf(", maxmemory-policy %s, memory used %s of %s",
		cmp.Or(fields["maxmemory_policy"], "not told"),
		cmp.Or(fields["used_memory_human"], "?"),
		cmp.Or(limit, "?"))
	asked := time.Now()
	if at, err := server.Time(ctx).Result(); err == nil {
		off := at.Sub(asked.Add(time.Since(asked) / 2)) // assume it answered halfway
		line += fmt.Sprintf(", clock %+.3f s", off.Seconds())
		if off.Abs() > maxClockSkew {
			warnings = append(warnings, Warning(fmt.Sprintf(
				"The clock of Redis is %s off that of this machine. "+
					"Let both be set by the network (NTP): deadlines, reminders and claims "+
					"go by the clock of the machine the bot runs on.",
				off.Abs().Round(time.Second))))
		}
	}
	return line, fields, warnings
}

// settingWarnings warns of settings in a server's INFO, or of the error of asking for it.
func settingWarnings(fields map[string]string, err error) []Warning {
	if err != nil {
		return []Warning{Warning(fmt.Sprintf("Could not ask Redis about its settings (%v). "+
			"Make sure that it is 7.0 or later, "+
			"and has appendonly yes and maxmemory-policy noeviction.", translate(err)))}
	}
	var all []Warning
	version := fields["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	switch n, err := strconv.Atoi(major); {
	case err != nil:
		all = append(all, "Redis does not report its version. It must be 7.0 or later.")
	case n < 7:
		all = append(all, Warning("Redis "+version+" is too old: "+
			"answers can be kept from 7.0 on. Update it."))
	}
	switch fields["aof_enabled"] {
	case "1":
		if fields["appendfsync"] == "no" {
			all = append(all, "Redis leaves it to the system when answers reach the disk "+
				"(appendfsync is no): those of half a minute are lost when its machine stops. "+
				"Set appendfsync everysec, or always.")
		}
	case "0":
		all = append(all, "Redis does not write answers to disk as they come (appendonly is no): "+
			"those given since its last snapshot are lost when it stops. Set appendonly yes.")
	default:
		all = append(all, "Redis does not say whether it writes each answer to disk. "+
			"Make sure that appendonly is yes.")
	}
	switch policy := fields["maxmemory_policy"]; policy {
	case "noeviction":
	case "":
		all = append(all, "Redis does not say what it does when its memory is full. "+
			"Make sure that maxmemory-policy is noeviction.")
	default:
		all = append(all, Warning("Redis may delete answers when its memory is full "+
			"(maxmemory-policy is "+policy+"). Set maxmemory-policy noeviction."))
	}
	return all
}
