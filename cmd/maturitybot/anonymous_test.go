package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// In each round of TestAnonymousAfterClose attackedPeople take part. A guess at random is right about one of them in
// each round on average: the number of hits is nearly Poisson distributed. In four rounds it is right about chance
// people or more with a probability of 2.5 in 10 million. With 1,000 ways of guessing, the test fails by chance in at
// most 3 of 10,000 runs. A way that links five of twelve people is noticed.
const (
	attackedRounds = 4
	attackedPeople = 12
	chance         = 18
)

// TestAnonymousAfterClose plays twelve people in each of four rounds through the HTTP endpoint, on a real Redis
// that writes an append-only file and logs every command as slow, closes the rounds, and tries every way it knows to
// link a person to a response, with all that an operator, a thief and the platform's clock can tell.
func TestAnonymousAfterClose(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{AOF: true, Args: []string{
		"--slowlog-log-slower-than", "0", "--slowlog-max-len", "100000", "--rdbcompression", "no",
	}})
	f := fake.New(t)
	clock := time.Now().Add(-time.Hour)
	store, err := redis.Open(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	var elements []string
	for _, e := range editions()[0].Elements() {
		elements = append(elements, e.ID)
	}
	rounds := survey.NewRounds(store, editions(), time.Now)

	errs, end := servingByHTTPOn(t, f, server.URL())
	ready(t, errs)
	f.Serve(through(errs.until(t, `msg=listening address=(\S+)`), "/slack"))

	place := "slack:" + fake.Team + ":"
	leadOf := func(r int) string { return fmt.Sprintf("U0LEAD%c", 'A'+r) }
	evidences := make([]evidence, attackedRounds)
	ids := make([]survey.RoundID, attackedRounds)
	does := func(e *evidence, user string, a chat.Action, picked string) {
		t.Helper()
		clock = clock.Add(time.Duration(2000+rand.IntN(1500))*time.Millisecond + time.Duration(rand.IntN(1000))*time.Microsecond)
		action, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		p := press{platform: clock, real: time.Now()}
		f.ActionAt(clock)
		m := fake.Message{Channel: fake.IM(user), TS: "1.000001"}
		if ack := f.Press(user, m, action, picked); !ack.OK() {
			t.Fatalf("%v is acknowledged with %d, %v\n%s", a, ack.Status, ack.Err, errs)
		}
		if e != nil {
			person := place + user
			e.presses[person] = append(e.presses[person], p)
		}
	}
	for r := range evidences {
		e := &evidences[r]
		*e = evidence{elements: elements, presses: map[string][]press{}}
		ids[r] = survey.RoundID(fmt.Sprintf("attack%c234", 'a'+r))
		channel := fmt.Sprintf("C0TEAM%c", 'A'+r) // of its own, and a coordinator: messages in one wait for each other
		f.AddChannel(fake.Channel{ID: channel, BotIn: true})
		f.AddUser(fake.User{ID: leadOf(r)})
		lead := survey.PersonID(place + leadOf(r))
		var people []survey.Member
		for i := range attackedPeople {
			user := fmt.Sprintf("U%c%cMEMBER", 'A'+r, 'A'+i)
			f.AddUser(fake.User{ID: user, Zone: "Europe/London"})
			e.people = append(e.people, place+user)
			people = append(people, survey.Member{Person: survey.PersonID(place + user)})
		}
		rand.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
		_, err := rounds.AsCreator(lead).Create(t.Context(), survey.Round{
			ID: ids[r], Area: fmt.Sprint("Area ", r), Matrix: editions()[0].ID, Languages: []matrix.Lang{matrix.English}, TimeZone: survey.DefaultTimeZone,
			ClosesAt: time.Now().Add(300 * time.Hour), Channel: place + channel, Coordinators: []survey.PersonID{lead}, MinGroup: 5, Consensus: results.Consensus{Percent: 70},
		})
		if err == nil {
			_, _, err = rounds.As(lead).Open(t.Context(), ids[r])
		}
		if err == nil {
			_, _, err = rounds.As(lead).Invite(t.Context(), ids[r], people)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for r := range evidences { // each person answers in one go, in an order of their own; all press as often
		e, round := &evidences[r], string(ids[r])
		order := rand.Perm(attackedPeople)
		for n, i := range order {
			user := strings.TrimPrefix(e.people[i], place)
			does(e, user, chat.NewAction("begin", round), "")
			does(e, user, chat.NewAction("accept", round), "")
			skipped := rand.Perm(len(elements))[:n%attackedPeople]
			for k, element := range elements {
				if slices.Contains(skipped, k) {
					does(e, user, chat.NewAction("at", round, element), "")
				} else {
					does(e, user, chat.NewAction("answer", round, element, fmt.Sprint(1+rand.IntN(4))), "")
				}
			}
		}
	}
	truths := make([]map[string]string, attackedRounds)
	for r, id := range ids {
		truths[r] = map[string]string{}
		for _, person := range evidences[r].people {
			seat, resp, err := rounds.For(survey.PersonID(person)).Response(t.Context(), id)
			if err != nil || resp.Rated() < len(elements)-attackedPeople {
				t.Fatalf("%d answers, %v\n%s", resp.Rated(), err, errs)
			}
			truths[r][person] = seat.Pseudonym
		}
	}
	secrets := secretsOf(t, server.URL(), ids)
	before := readFiles(t, server.Dir)
	for r := range ids {
		if !bytes.Contains(before, secrets[r]) {
			t.Error("before the close the append-only file does not hold the secret: this test would see nothing")
		}
		does(nil, leadOf(r), chat.NewAction("closenow", string(ids[r]), "en"), "")
	}
	for _, id := range ids {
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			round, err := store.Round(t.Context(), id)
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("the round is not closed: %v\n%s", err, errs)
			}
			if round.Anonymised {
				break
			}
		}
	}
	if got := end(); got != 0 { // it asks for a rewrite of what was closed last
		t.Errorf("ended with %d\n%s", got, errs)
	}
	awaitRewrite(t, server)
	var backup bytes.Buffer
	if _, err := store.Backup(context.Background(), &backup); err != nil {
		t.Fatal(err)
	}
	elsewhere := redistest.Start(t, redistest.Options{}).URL()
	restoredIn, err := redis.Open(t.Context(), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = restoredIn.Close() }()
	again := func() (io.Reader, error) { return bytes.NewReader(backup.Bytes()), nil }
	if _, err := restoredIn.Restore(t.Context(), again, redis.RestoreOptions{WithoutErasures: true}); err != nil {
		t.Fatal(err)
	}
	restored, _ := askRedis(t, elsewhere)
	live, slowlog := askRedis(t, server.URL())
	disk := loaded(t, server.Dir)
	total := map[string]int{}
	for r := range evidences {
		e := &evidences[r]
		e.stores = map[string]*kept{"redis": live.of(ids[r], e.people), "files": disk.of(ids[r], e.people), "backup": restored.of(ids[r], e.people)}
		e.texts = map[string][]byte{"log": []byte(errs.String()), "slowlog": slowlog, "files": readFiles(t, server.Dir), "backup": backup.Bytes()}
		for name, text := range e.texts {
			if bytes.Contains(text, secrets[r]) {
				t.Errorf("%s holds the secret", name)
			}
		}
		for name, g := range attack(*e) {
			total[name] += g.right(truths[r])
		}
	}
	t.Logf("%d lines of attack", len(total))
	for name, n := range total {
		if n >= chance {
			t.Errorf("%s: %d of %d people are linked to their responses", name, n, attackedRounds*attackedPeople)
		}
	}
	checkKept(t, live)
}

// awaitRewrite waits until a server has rewritten its append-only file.
func awaitRewrite(t *testing.T, server *redistest.Server) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		info := server.Do(t, "INFO", "persistence")
		if !strings.Contains(info, "aof_rewrite_in_progress:1") &&
			!strings.Contains(info, "aof_rewrite_scheduled:1") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the append-only file is not rewritten")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// checkKept checks that nothing is kept that a close destroys.
func checkKept(t *testing.T, k *kept) {
	t.Helper()
	for key, told := range k.keys {
		if strings.HasPrefix(key, "roster:") {
			for i := 1; i < len(told.fields); i += 2 { // entries: ids of people are numbers as well
				for _, at := range times(told.fields[i]) {
					if at.Unix()%(24*60*60) != 0 {
						t.Errorf("%s tells more of the time of consent than its day: %v", key, at)
					}
				}
			}
		}
		if kind, _, _ := strings.Cut(key, ":"); !slices.Contains(keptAfterTheClose, kind) {
			t.Errorf("Redis has %s after the close", key)
		}
	}
}

// keptAfterTheClose are the kinds of keys that there may be. None holds a response and anything of a person.
var keptAfterTheClose = []string{
	"round", "roster", "responses", "response", "owed", "planned", "zones", "audit", "erased",
	"person", "channel", "event", "rounds", "schema", "journals", "due", "plans",
}
