package redis

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// errAddress holds nothing of the address, because any part of a mistyped one may be its password.
var errAddress = errors.New(`the address of Redis is of none of these forms: ` +
	`redis://host:6379/0, redis://a:6379,b:6379,c:6379 (cluster), ` +
	`redis-sentinel://a:26379,b:26379/mastername/0, the same with rediss in place of redis (TLS), ` +
	`unix:///path/to/redis.sock; user:password@ goes before the host, ` +
	`with %XX for the characters @ : / ? # % and , in a password`)

// commandTimeout limits one attempt of a command. Within three seconds the user must either get an
// answer or learn that nothing was saved.
const commandTimeout = 3 * time.Second

const (
	// maxConnections is how many commands and pipelines may be under way at once. The default, ten
	// for each processor, makes people wait in a cluster, where they do not share pipelines.
	maxConnections = 64
	// replyBytes and commandBytes are the buffers of a connection, for the reply to a read of one
	// person and for a command. pageBytes is the buffer for reading pageSize responses.
	replyBytes   = 8 << 10
	commandBytes = 8 << 10
	pageBytes    = 64 << 10
)

// Addresses lists the forms of an address of Redis, one a line, with what each leads to. Parts in
// brackets are optional.
const Addresses = `redis://[user:password@]host[:6379][/database]          one server
rediss://...                                            the same, and the next, over TLS
redis://[user:password@]a[:6379],b[:6379],...           a cluster: name at least two of its nodes, or its one
                                                        configuration endpoint twice
redis-sentinel://[user:password@]a[:26379],.../mastername[/database][?sentinel_username=...&sentinel_password=...]
                                                        the server that these Sentinels call the master; user and
                                                        password before the @ are its, those after the ? theirs
rediss-sentinel://...                                   the same, Sentinels and servers over TLS
unix://[user:password@]/path/to/redis.sock              one server, by its socket; database 0`

// parseAddress reads an address of one of the forms of Addresses. TLS trusts what the machine
// trusts, and checks the name or IP address by which a server is reached: with Sentinels or a
// cluster, the one under which they tell of it.
func parseAddress(address string) (*goredis.UniversalOptions, error) {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return nil, errAddress
	}
	o := &goredis.UniversalOptions{
		PoolSize:               maxConnections,
		ReadBufferSize:         replyBytes,
		WriteBufferSize:        commandBytes,
		PipelineReadBufferSize: pageBytes,
		// Long pipelines are written in parts.
		PipelineWriteBufferSize: commandBytes,

		ContextTimeoutEnabled: true,
		DialTimeout:           commandTimeout,
		ReadTimeout:           commandTimeout,
		WriteTimeout:          commandTimeout,
		// Asking for them fails on every connection to Valkey.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		if err := setCredentials(o, rest[:at]); err != nil {
			return nil, err
		}
		rest = rest[at+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	if strings.Contains(rest+query, "#") {
		return nil, errAddress
	}
	if scheme == "unix" {
		if !strings.HasPrefix(rest, "/") || query != "" {
			return nil, errAddress
		}
		o.Addrs = []string{rest}
		return o, nil
	}

	hosts, path, _ := strings.Cut(rest, "/")
	port, database := "6379", path
	kind, sentinel := strings.CutSuffix(scheme, "-sentinel")
	switch kind {
	case "redis":
	case "rediss":
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	default:
		return nil, errAddress
	}
	if sentinel {
		port = "26379"
		if o.MasterName, database, _ = strings.Cut(path, "/"); o.MasterName == "" {
			return nil, errAddress
		}
	}
	if err := setParameters(o, query, sentinel); err != nil {
		return nil, err
	}
	for host := range strings.SplitSeq(hosts, ",") {
		addr, err := hostPort(host, port)
		if err != nil {
			return nil, err
		}
		o.Addrs = append(o.Addrs, addr)
	}
	if database != "" {
		n, err := strconv.Atoi(database)
		cluster := !sentinel && len(o.Addrs) > 1
		if err != nil || n < 0 || (n > 0 && cluster) { // a cluster has database 0 only
			return nil, errAddress
		}
		o.DB = n
	}
	return o, nil
}

// setCredentials sets the user and the password of an address, as they stand before its last @.
func setCredentials(o *goredis.UniversalOptions, credentials string) error {
	if strings.ContainsAny(credentials, "@/?#") {
		return errAddress
	}
	user, password, _ := strings.Cut(credentials, ":")
	var errUser, errPassword error
	o.Username, errUser = url.PathUnescape(user)
	o.Password, errPassword = url.PathUnescape(password)
	if errUser != nil || errPassword != nil {
		return errAddress
	}
	return nil
}

// setParameters sets the credentials for Sentinels. No other parameters are allowed.
func setParameters(o *goredis.UniversalOptions, query string, sentinel bool) error {
	// A plus is not a space, neither here nor before the @.
	parameters, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
	if err != nil {
		return errAddress
	}
	for name, value := range parameters {
		switch {
		case sentinel && len(value) == 1 && name == "sentinel_username":
			o.SentinelUsername = value[0]
		case sentinel && len(value) == 1 && name == "sentinel_password":
			o.SentinelPassword = value[0]
		default:
			return errAddress
		}
	}
	return nil
}

// HasPassword reports whether an address holds a password, or may hold one.
func HasPassword(address string) bool {
	o, err := parseAddress(address)
	if err != nil { // it may be a mistyped address with a password
		return strings.Contains(address, "@") || strings.Contains(address, "password=")
	}
	return o.Password != "" || o.SentinelPassword != ""
}

// hostPort completes host, host:port, [ipv6] or [ipv6]:port.
func hostPort(s, port string) (string, error) {
	if host, p, err := net.SplitHostPort(s); err == nil {
		if _, err := strconv.ParseUint(p, 10, 16); err != nil || host == "" {
			return "", errAddress
		}
		return s, nil
	}
	host := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if host == "" || (strings.Contains(host, ":") && host == s) {
		return "", errAddress
	}
	return net.JoinHostPort(host, port), nil
}
