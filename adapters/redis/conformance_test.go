package redis

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/adapters/redis/storetest"
	"maturitybot/survey"
)

// certificate is that of servers that speak TLS. The process trusts it as the bot trusts an
// operator's, before the first connection.
var certificate *redistest.Certificate

func TestMain(m *testing.M) {
	flag.Parse()
	debug.SetGCPercent(400) // the tests need little memory
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given { // these tests mostly wait for servers
		if err := flag.Set("test.parallel", "12"); err != nil {
			panic(err)
		}
	}
	code, err := func() (int, error) {
		dir, err := os.MkdirTemp("", "maturitybot-redis-*")
		if err != nil {
			return 1, err
		}
		defer func() { _ = os.RemoveAll(dir) }() // the machine cleans up what is left
		if certificate, err = redistest.NewCertificate(dir); err != nil {
			return 1, err
		}
		if err := os.Setenv("SSL_CERT_FILE", certificate.File); err != nil {
			return 1, err
		}
		return m.Run(), nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// embedded returns an embedded store whose clock stands still at a whole second until the test
// sets it. With a moving clock miniredis examines all keys at each command.
func embedded(t testing.TB) *EmbeddedStore {
	t.Helper()
	e, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() }) // the test is over
	e.SetTime(time.Now().Truncate(time.Second))
	return e
}

func open(t testing.TB, address string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // the test is over
	return s
}

func TestLawsEmbedded(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) survey.Store { return embedded(t) })
}

func TestLawsServer(t *testing.T) {
	t.Parallel()
	store := open(t, redistest.Start(t, redistest.Options{AOF: true}).URL())
	storetest.Run(t, func(*testing.T) survey.Store { return store })
}

func TestLawsCluster(t *testing.T) {
	t.Parallel()
	address := redistest.StartCluster(t, redistest.Options{})
	node, _, _ := strings.Cut(address, ",")
	wrongServer(t, node, "one node of a cluster")
	store := open(t, address)
	// Every master is asked, and a warning that all have is given once.
	lines, got, err := store.Describe(t.Context())
	said := fmt.Sprint(got)
	if err != nil || len(lines) != 3 || len(got) != 2 ||
		!strings.Contains(said, "no password") || !strings.Contains(said, "appendonly yes") {
		t.Errorf("got %d lines, warnings %q, %v", len(lines), got, err)
	}
	storetest.Run(t, func(*testing.T) survey.Store { return store })
}

// restricted returns options of servers that speak TLS and have, besides a user for the servers
// themselves, a user with the rights that the bot needs and no others.
func restricted() redistest.Options {
	return redistest.Options{TLS: certificate, Password: "root", Args: append([]string{"--user", "bot", "on", ">s3cret"}, strings.Fields(ACL)...)}
}

// elsewhere are the commands of ACL that the laws on a single server do not use, because it is no
// cluster and its first database is used.
var elsewhere = []string{"cluster|slots", "select"}

// asBot returns an address with that user.
func asBot(url string) string { return strings.Replace(url, "//:root@", "//bot:s3cret@", 1) }

func TestLawsTLS(t *testing.T) {
	t.Parallel()
	options := restricted()
	options.AOF = true
	server := redistest.Start(t, options)
	store := open(t, asBot(server.URL()))
	if got := store.Check(t.Context()); len(got) != 0 {
		t.Errorf("got warnings %q", got)
	}
	t.Cleanup(func() { // when every law has been tried
		used := server.Do(t, "INFO", "commandstats")
		for _, word := range strings.Fields(ACL) {
			command, ok := strings.CutPrefix(word, "+")
			if ok && !strings.Contains(used, "cmdstat_"+command+":") && !slices.Contains(elsewhere, command) {
				t.Errorf("the bot has the right to %s and does not need it", command)
			}
		}
	})
	t.Run("backup", func(t *testing.T) {
		peopled(t, store)
		first := embedded(t).Store
		restoring(t, first, backedUp(t, store), RestoreOptions{WithoutErasures: true})
		restoring(t, store, backedUp(t, first), RestoreOptions{Replace: true})
		second := embedded(t).Store
		restoring(t, second, backedUp(t, store), RestoreOptions{WithoutErasures: true})
		differences(t, everything(t, second), everything(t, first))
		// The laws begin with an empty store.
		restoring(t, store, backedUp(t, embedded(t).Store), RestoreOptions{Replace: true})
		store.rewriteWanted(t.Context())
	})
	t.Run("operation times", func(t *testing.T) { // older than ten minutes move to the second hash
		_, places := opened(t, store, "times", "slack:T1:TIMES")
		keys := operationTimesKeys("times")
		for _, id := range []string{"first", "second"} {
			op := survey.Operation{ID: id, At: time.Now()}
			must(t, errorOf(store.Answer(t.Context(), places[0], time.Now(), op, "vision", 1)))
			server.Do(t, "EXPIRE", keys[0], "1200")
		}
		if n := store.client.Exists(t.Context(), keys...).Val(); n != 2 {
			t.Errorf("there are %d hashes of times", n)
		}
	})
	storetest.Run(t, func(*testing.T) survey.Store { return store })
}

func TestLawsClusterTLS(t *testing.T) {
	t.Parallel()
	store := open(t, asBot(redistest.StartCluster(t, restricted())))
	opened(t, store, "first", "slack:T1:UFIRST")
	t.Run("needs no COMMAND", func(t *testing.T) { // ACL refuses it, and the client would send it before each command
		must(t, store.client.(*goredis.ClusterClient).ForEachMaster(t.Context(), func(ctx context.Context, master *goredis.Client) error {
			used, err := master.Info(ctx, "commandstats").Result()
			if strings.Contains(used, "cmdstat_command:") {
				t.Error("a node was sent COMMAND")
			}
			return err
		}))
	})
	storetest.Run(t, func(*testing.T) survey.Store { return store })
}
