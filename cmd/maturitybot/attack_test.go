package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
)

// evidence is what an operator, or a thief, can hold after the close of a survey: everything that Redis tells, its
// files, the log of the bot, a backup, and when each person pressed by the platform's clock.
type evidence struct {
	people   []string // who took part, in the order of their ids
	elements []string // ids of the matrix
	texts    map[string][]byte
	stores   map[string]*kept
	presses  map[string][]press
}

// press is one press of a person: when by the platform's clock, and when it reached the bot.
type press struct{ platform, real time.Time }

// kept is what a Redis tells of each key.
type kept struct {
	scan []string // keys in the order of SCAN
	keys map[string]keyContent
}

type keyContent struct {
	fields  []string // and values, or members and scores, in the order in which Redis returns them
	idle    time.Duration
	expires time.Duration
}

// askRedis reads all that a Redis tells. Idle times come first, because reading changes them.
func askRedis(t *testing.T, url string) (*kept, []byte) {
	t.Helper()
	options, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.Protocol = 2 // in which hashes come as they are kept, fields and values in turn
	client := goredis.NewClient(options)
	defer client.Close()
	ctx := t.Context()
	k := &kept{keys: map[string]keyContent{}}
	for cursor := uint64(0); ; {
		some, next, err := client.Scan(ctx, cursor, "", 1).Result()
		if err != nil {
			t.Fatal(err)
		}
		k.scan = append(k.scan, some...)
		if cursor = next; cursor == 0 {
			break
		}
	}
	for _, key := range k.scan {
		k.keys[key] = keyContent{idle: client.ObjectIdleTime(ctx, key).Val(), expires: client.PExpireTime(ctx, key).Val()}
	}
	for _, key := range k.scan {
		told := k.keys[key]
		words := map[string][]any{
			"hash": {"hgetall", key}, "zset": {"zrange", key, 0, -1, "withscores"}, "set": {"smembers", key},
			"list": {"lrange", key, 0, -1}, "string": {"get", key},
		}[client.Type(ctx, key).Val()]
		if words == nil {
			continue // it has just expired
		}
		reply, err := client.Do(ctx, words...).Result()
		if err != nil {
			t.Fatal(err)
		}
		if many, ok := reply.([]any); ok {
			for _, v := range many {
				told.fields = append(told.fields, fmt.Sprint(v))
			}
		} else {
			told.fields = []string{fmt.Sprint(reply)}
		}
		k.keys[key] = told
	}
	return k, []byte(fmt.Sprint(client.SlowLogGet(ctx, -1).Val()))
}

// readFiles reads the append-only files of a Redis.
func readFiles(t *testing.T, dir string) []byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	return all
}

// loaded starts another Redis from a copy of the files of one, as a thief of its disk would.
func loaded(t *testing.T, dir string) *kept {
	t.Helper()
	thief := t.TempDir()
	if err := os.CopyFS(filepath.Join(thief, "appendonlydir"), os.DirFS(filepath.Join(dir, "appendonlydir"))); err != nil {
		t.Fatal(err)
	}
	k, _ := askRedis(t, redistest.Start(t, redistest.Options{AOF: true, Args: []string{"--dir", thief}}).URL())
	return k
}

// of returns the keys of one round and of its people.
func (k *kept) of(id survey.RoundID, people []string) *kept {
	some := &kept{keys: map[string]keyContent{}}
	for _, key := range k.scan {
		_, person, _ := strings.Cut(strings.TrimSuffix(key, "}"), "{")
		if strings.Contains(key, "{"+string(id)+"}") || slices.Contains(people, person) {
			some.scan = append(some.scan, key)
			some.keys[key] = k.keys[key]
		}
	}
	return some
}

// secretsOf reads the secrets of open rounds, as anyone with access to Redis can.
func secretsOf(t *testing.T, url string, ids []survey.RoundID) [][]byte {
	t.Helper()
	options, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(options)
	defer client.Close()
	var secrets [][]byte
	for _, id := range ids {
		secret, err := client.Get(t.Context(), "secret:{"+string(id)+"}").Bytes()
		if err != nil || len(secret) != survey.SecretBytes {
			t.Fatalf("the secret of an open round is %x, %v", secret, err)
		}
		secrets = append(secrets, secret)
	}
	return secrets
}

const responsePrefix = "response:{"

// pseudonymOf is the last part of the key of a response.
func pseudonymOf(key string) (string, bool) {
	_, pseudonym, ok := strings.Cut(strings.TrimPrefix(key, responsePrefix), "}:")
	return pseudonym, ok && strings.HasPrefix(key, responsePrefix)
}

// guesses maps each person to the response that one method of attack takes to be theirs.
type guesses map[string]string

// attack tries every method it knows to link people to responses, and returns the guesses of each. A method sees only
// the evidence. Where there is nothing to find, each is right about one person in each round on average,
// whatever it does, because pseudonyms are random.
func attack(e evidence) map[string]guesses {
	all := map[string]guesses{}
	responses := map[string][]string{} // of the live store: pseudonym -> fields and values
	live := e.stores["redis"]
	for key, told := range live.keys {
		if p, ok := pseudonymOf(key); ok {
			responses[p] = told.fields
		}
	}
	// Orders of people against orders of responses.
	peopleOrders, responseOrders := e.peopleOrders(), e.responseOrders(slices.Sorted(maps.Keys(responses)))
	for p, people := range peopleOrders {
		for r, ordered := range responseOrders {
			forwards, backwards := guesses{}, guesses{}
			for i := range min(len(people), len(ordered)) {
				forwards[people[i]] = ordered[i]
				backwards[people[i]] = ordered[len(ordered)-1-i]
			}
			all[p+" by "+r] = forwards
			all[p+" by "+r+", backwards"] = backwards
		}
	}
	// Times that stand beside a pseudonym, against times of presses.
	for name, k := range e.stores {
		beside := map[string]string{}
		for key, told := range k.keys {
			for p := range responses {
				if strings.Contains(key, p) {
					beside[p] += " " + strings.Join(told.fields, " ")
				}
			}
		}
		all["times beside pseudonyms in "+name] = e.byTimes(beside)
	}
	for name, text := range e.texts {
		beside := map[string]string{}
		for p := range responses {
			for rest := string(text); ; {
				_, after, found := strings.Cut(rest, p)
				if !found {
					break
				}
				beside[p] += " " + after[:min(400, len(after))]
				rest = after
			}
		}
		all["times beside pseudonyms in "+name] = e.byTimes(beside)
		all["nearest mention in "+name] = e.nearest(string(text), responses)
	}
	// Records of what a person answered and when, under any name.
	for name, k := range e.stores {
		all["what was answered when, in "+name] = e.byContent(k, responses)
	}
	// How many answers the log tells of, by whatever stands for a person in it, and by time alone.
	all["answers counted by name in the log"] = e.byLog(responses, `(?:person=|"person":")([^\s"]+)`)
	all["answers counted by time in the log"] = e.byLog(responses, "")
	return all
}

// peopleOrders are orders of people that may be those in which they came or answered.
func (e evidence) peopleOrders() map[string][]string {
	orders := map[string][]string{}
	by := func(name string, rank func(person string) float64) {
		orders[name] = slices.Clone(e.people)
		slices.SortStableFunc(orders[name], func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	}
	by("first press", func(p string) float64 { return float64(e.presses[p][0].platform.UnixMicro()) })
	by("last press", func(p string) float64 { return float64(e.presses[p][len(e.presses[p])-1].platform.UnixMicro()) })
	consent := regexp.MustCompile(`"t":(\d+)`)
	for name, k := range e.stores {
		entries := map[string]string{}
		first := map[string]int{}
		scores := map[string]float64{}
		for key, told := range k.keys {
			if strings.HasPrefix(key, "roster:") {
				for i := 0; i+1 < len(told.fields); i += 2 {
					entries[told.fields[i]], first[told.fields[i]] = told.fields[i+1], i
				}
			}
			if strings.HasPrefix(key, "person:{") && len(told.fields) > 1 {
				scores[strings.TrimSuffix(strings.TrimPrefix(key, "person:{"), "}")], _ = strconv.ParseFloat(told.fields[1], 64)
			}
		}
		by("roster of "+name, func(p string) float64 { return float64(first[p]) })
		by("listed in "+name, func(p string) float64 { return scores[p] })
		by("consent in "+name, func(p string) float64 {
			if m := consent.FindStringSubmatch(entries[p]); m != nil {
				at, _ := strconv.ParseFloat(m[1], 64)
				return at
			}
			return 0
		})
		by("idle in "+name, func(p string) float64 { return -k.keys["person:{"+p+"}"].idle.Seconds() })
		by("scan of "+name, func(p string) float64 { return float64(slices.Index(k.scan, "person:{"+p+"}")) })
	}
	for name, text := range e.texts {
		by("first in "+name, func(p string) float64 { return float64(bytes.Index(text, []byte(p))) })
		by("last in "+name, func(p string) float64 { return float64(bytes.LastIndex(text, []byte(p))) })
	}
	return orders
}

// responseOrders are orders of responses that may be the same.
func (e evidence) responseOrders(pseudonyms []string) map[string][]string {
	orders := map[string][]string{}
	by := func(name string, rank func(pseudonym string) float64) {
		ordered := slices.Clone(pseudonyms)
		slices.SortStableFunc(ordered, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
		orders[name] = ordered
	}
	by("pseudonym", func(string) float64 { return 0 })
	for name, k := range e.stores {
		place, told := map[string]int{}, map[string]keyContent{}
		for i, key := range k.scan {
			if p, ok := pseudonymOf(key); ok {
				place[p], told[p] = i, k.keys[key]
			}
		}
		by("scan of "+name, func(p string) float64 { return float64(place[p]) })
		by("idle in "+name, func(p string) float64 { return -told[p].idle.Seconds() })
		by("expiry in "+name, func(p string) float64 { return told[p].expires.Seconds() })
	}
	for name, text := range e.texts {
		by("first in "+name, func(p string) float64 { return float64(bytes.Index(text, []byte(p))) })
		by("last in "+name, func(p string) float64 { return float64(bytes.LastIndex(text, []byte(p))) })
	}
	return orders
}

var longNumber = regexp.MustCompile(`\d{10,16}`)

// times returns the times that a text may hold, as seconds, milliseconds or microseconds since 1970, at their precision.
func times(text string) map[string]time.Time {
	found := map[string]time.Time{}
	for _, digits := range longNumber.FindAllString(text, -1) {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			continue
		}
		switch len(digits) {
		case 10:
			found[digits] = time.Unix(n, 0)
		case 13:
			found[digits] = time.UnixMilli(n)
		case 16:
			found[digits] = time.UnixMicro(n)
		}
	}
	return found
}

// pressedBy says how many of these times are those of a person's presses, to the millisecond, or to the second where they say no more.
func (e evidence) pressedBy(person string, at map[string]time.Time) int {
	n := 0
	for digits, t := range at {
		for _, p := range e.presses[person] {
			precision := time.Millisecond
			if len(digits) == 10 {
				precision = time.Second
			}
			if p.platform.Truncate(precision).Equal(t.Truncate(precision)) {
				n++
			}
		}
	}
	return n
}

// byTimes gives each response to the person at whose presses most of the times lie that stand beside its pseudonym.
func (e evidence) byTimes(beside map[string]string) guesses {
	g := guesses{}
	for pseudonym, text := range beside {
		at, best := times(text), 0
		for _, person := range e.people {
			if n := e.pressedBy(person, at); n > best {
				best, g[person] = n, pseudonym
			}
		}
	}
	return g
}

// nearest gives each response to the person who is named nearest to its pseudonym.
func (e evidence) nearest(text string, responses map[string][]string) guesses {
	g := guesses{}
	for pseudonym := range responses {
		best, who := math.MaxInt, ""
		at := strings.Index(text, pseudonym)
		if at < 0 {
			continue
		}
		for _, person := range e.people {
			before, after := strings.LastIndex(text[:at], person), strings.Index(text[at:], person)
			if before >= 0 && at-before < best {
				best, who = at-before, person
			}
			if after >= 0 && after < best {
				best, who = after, person
			}
		}
		if who != "" {
			g[who] = pseudonym
		}
	}
	return g
}

// answered returns the elements that a response has a rating of.
func (e evidence) answered(fields []string) []string {
	var elements []string
	for i := 0; i+1 < len(fields); i += 2 {
		if slices.Contains(e.elements, fields[i]) {
			elements = append(elements, fields[i])
		}
	}
	slices.Sort(elements)
	return elements
}

// byContent looks for values that name elements beside times: the times tell the person, the elements the response.
func (e evidence) byContent(k *kept, responses map[string][]string) guesses {
	g := guesses{}
	for key, told := range k.keys {
		if _, response := pseudonymOf(key); response {
			continue
		}
		for _, value := range told.fields {
			var named []string
			for _, element := range e.elements {
				if strings.Contains(value, "answer "+element+`"`) || strings.Contains(value, ":"+element+`"`) {
					named = append(named, element)
				}
			}
			slices.Sort(named)
			at := times(value)
			for pseudonym, fields := range responses {
				if len(named) == 0 || !slices.Equal(named, e.answered(fields)) {
					continue
				}
				best := 0
				for _, person := range e.people {
					if n := e.pressedBy(person, at); n > best {
						best, g[person] = n, pseudonym
					}
				}
			}
		}
	}
	return g
}

// logged is a line about an answer, of a log in text or in JSON.
var logged = regexp.MustCompile(`(?m)^.*(?:time=|"time":")([^\s"]+).*(?:verb=|"verb":")answer.*$`)

// byLog counts for each person the lines about answers, and gives them the response that has as many: of those lines that
// name the same by the pattern, or, where it is empty, of those at the times of their presses.
func (e evidence) byLog(responses map[string][]string, name string) guesses {
	nearestPerson := func(at time.Time) string {
		who, best := "", 5*time.Second
		for _, person := range e.people {
			for _, p := range e.presses[person] {
				if d := at.Sub(p.real).Abs(); d < best {
					who, best = person, d
				}
			}
		}
		return who
	}
	counts, owners := map[string]int{}, map[string]map[string]int{}
	for _, m := range logged.FindAllStringSubmatch(string(e.texts["log"]), -1) {
		at, err := time.Parse(time.RFC3339Nano, m[1])
		if err != nil {
			continue
		}
		who := nearestPerson(at)
		id := who
		if name != "" {
			if n := regexp.MustCompile(name).FindStringSubmatch(m[0]); n != nil {
				id = n[1]
			}
		}
		counts[id]++
		if owners[id] == nil {
			owners[id] = map[string]int{}
		}
		owners[id][who]++
	}
	g := guesses{}
	for id, n := range counts {
		person := slices.MaxFunc(slices.Sorted(maps.Keys(owners[id])), func(a, b string) int { return owners[id][a] - owners[id][b] })
		for pseudonym, fields := range responses {
			if len(e.answered(fields)) == n {
				g[person] = pseudonym
			}
		}
	}
	return g
}

// right counts how many of the guesses are true.
func (g guesses) right(truth map[string]string) int {
	n := 0
	for person, pseudonym := range g {
		if truth[person] == pseudonym {
			n++
		}
	}
	return n
}
