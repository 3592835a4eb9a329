package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
)

// linkKey returns a key for links that repeats a letter.
func linkKey(letter string) []byte { return bytes.Repeat([]byte(letter), survey.LinkKeyBytes) }

// linkedRound is an open round with links.
type linkedRound struct {
	t      *testing.T
	store  *Store
	rounds *survey.Rounds
	by     survey.LinkCoordinator
}

// linked returns an open round "r1" that has no links yet.
func linked(t *testing.T, s *Store) linkedRound {
	t.Helper()
	r, _ := opened(t, s, "r1", "slack:T1:UANA")
	l := linkedRound{t: t, store: s, rounds: survey.NewRounds(s, matrix.Editions(), time.Now)}
	l.rounds.UseLinkKeys(survey.LinkKeys{linkKey("a")})
	l.by = l.rounds.LinksAs(r.Coordinators[0])
	return l
}

// withKeys returns the same round for a program with other keys.
func (l linkedRound) withKeys(letters ...string) linkedRound {
	other := l
	other.rounds = survey.NewRounds(l.store, matrix.Editions(), time.Now)
	var keys survey.LinkKeys
	for _, letter := range letters {
		keys = append(keys, linkKey(letter))
	}
	other.rounds.UseLinkKeys(keys)
	r, err := l.store.Round(l.t.Context(), "r1")
	must(l.t, err)
	other.by = other.rounds.LinksAs(r.Coordinators[0])
	return other
}

// makeLinks makes personal links and returns their tokens.
func (l linkedRound) makeLinks(labels ...string) []string {
	l.t.Helper()
	_, made, err := l.by.MakeLinks(l.t.Context(), "r1", survey.LinkRequest{Role: "parent", Labels: labels})
	must(l.t, err)
	var tokens []string
	for _, m := range made {
		tokens = append(tokens, m.Token)
	}
	return tokens
}

// openLink makes the open link and returns its token.
func (l linkedRound) openLink(maximum int) string {
	l.t.Helper()
	must(l.t, errorOf(l.by.AllowOpenLink(l.t.Context(), "r1", maximum)))
	_, token, err := l.by.OpenLinkToken(l.t.Context(), "r1")
	must(l.t, err)
	return token
}

// enter lets a person in by an operation and returns the credential.
func (l linkedRound) enter(token, operation string) string {
	l.t.Helper()
	c, err := l.rounds.Visiting().Enter(l.t.Context(), "r1", token, survey.Operation{ID: operation})
	must(l.t, err)
	return c
}

func (l linkedRound) find(credential string) (survey.Visit, error) {
	return l.rounds.Visiting().Find(l.t.Context(), "r1", credential)
}

// finds returns what a credential leads to.
func (l linkedRound) finds(credential string) survey.Visit {
	l.t.Helper()
	v, err := l.find(credential)
	must(l.t, err)
	return v
}

// answers lets the person of a credential take part.
func (l linkedRound) answers(credential string) {
	l.t.Helper()
	person := l.finds(credential).Member.Person
	must(l.t, errorOf(l.rounds.For(person).Start(l.t.Context(), "r1")))
	op := survey.Operation{ID: "answer"}
	_, _, err := l.rounds.For(person).Answer(l.t.Context(), "r1", op, "vision", 2)
	must(l.t, err)
}

// TestVisits checks what a personal link, the open link and a return code lead to.
func TestVisits(t *testing.T) {
	t.Parallel()
	l := linked(t, embedded(t).Store)
	personal, open := l.makeLinks("Nursery 1")[0], l.openLink(2)
	v := l.finds(personal)
	if !v.Member.Person.ByLink() || v.Member.Role != "parent" || v.Open || v.Code || v.Round.ID != "r1" {
		t.Errorf("the personal link leads to %+v", v)
	}
	if got := l.enter(personal, "op"); got != personal {
		t.Errorf("a person goes on with %q", got)
	}
	if v := l.finds(open); !v.Open || v.Full || v.Member != (survey.Member{}) {
		t.Errorf("the open link leads to %+v", v)
	}
	first, second := l.enter(open, "op-1"), l.enter(open, "op-2")
	if len(first) != 24 || strings.Count(first, "-") != 4 || first == second || l.enter(open, "op-1") != first {
		t.Errorf("return codes %q and %q", first, second)
	}
	if v := l.finds(open); !v.Full {
		t.Errorf("the open link leads to %+v", v)
	}
	_, err := l.rounds.Visiting().Enter(t.Context(), "r1", open, survey.Operation{ID: "op-3"})
	if !errors.Is(err, survey.ErrLinkFull) {
		t.Errorf("got %v", err)
	}
	_, err = l.rounds.Visiting().Enter(t.Context(), "r1", open, survey.Operation{})
	if err == nil {
		t.Error("people without an operation are let in")
	}
	person := l.finds(first).Member.Person
	typed := strings.ToLower(strings.ReplaceAll(first, "-", " "))
	typed = strings.NewReplacer("0", "o", "1", "l").Replace(typed)
	for _, code := range []string{first, typed, " " + strings.ReplaceAll(first, "-", "") + "\n"} {
		if v := l.finds(code); v.Member.Person != person || !v.Code || v.Open {
			t.Errorf("%q leads to %+v", code, v)
		}
		if got := l.enter(code, "other"); got != first {
			t.Errorf("%q goes on as %q, want %q", code, got, first)
		}
	}
	list, err := l.by.Links(t.Context(), "r1")
	must(t, err)
	if want := (survey.OpenLink{On: true, Maximum: 2, Used: 2}); list.Open != want || len(list.Personal) != 1 {
		t.Errorf("got %+v", list)
	}
}

// TestOneErrorForEveryDeadLink checks that nobody can tell a link that was revoked, replaced or
// closed, or whose person was forgotten, from one that there never was.
func TestOneErrorForEveryDeadLink(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	l := linked(t, s.Store)
	ctx := t.Context()
	tokens := l.makeLinks("revoked", "reissued", "forgotten", "stays")
	open := l.openLink(5)
	code := l.enter(open, "op")
	must(t, errorOf(l.by.RevokeLink(ctx, "r1", 1)), errorOf(l.by.RevokeLink(ctx, "r1", 1)))
	_, fresh, err := l.by.ReissueLink(ctx, "r1", 2)
	must(t, err)
	must(t, errorOf(l.store.Forget(ctx, "r1", l.finds(tokens[2]).Member.Person)))
	must(t, l.by.ReplaceOpenLink(ctx, "r1"))
	if v := l.finds(fresh.Token); v.Member.Role != "parent" {
		t.Errorf("the new link leads to %+v", v)
	}
	l.finds(tokens[3])
	l.finds(code)
	dead := []string{
		tokens[0], tokens[1], tokens[2], open, "", "x", strings.Repeat("A", 43), strings.Repeat("?", 43),
		"0000-0000-0000-0000-0000", tokens[3] + "A", strings.ToUpper(tokens[3]),
	}
	same := func(about string, err error) {
		t.Helper()
		if err != survey.ErrNoLink { //nolint:errorlint // it is to be that error and no other
			t.Errorf("%s: got error %v", about, err)
		}
	}
	for _, token := range dead {
		same("find "+token, errorOf(l.find(token)))
		_, err := l.rounds.Visiting().Enter(ctx, "r1", token, survey.Operation{ID: "op"})
		same("enter "+token, err)
	}
	for _, id := range []survey.RoundID{"r2", "", "{r1}", "r1:x"} {
		same("round", errorOf(l.rounds.Visiting().Find(ctx, id, tokens[3])))
	}
	same("other key", errorOf(l.withKeys("b").find(tokens[3])))
	same("no key", errorOf(l.withKeys().find(tokens[3])))
	s.SetTime(time.Now().AddDate(3, 0, 0))
	same("expired", errorOf(l.find(tokens[3])))
	same("expired", errorOf(l.find(code)))
}

// TestKeyRotation checks that links of an earlier key work as long as it is configured, and that
// their coordinator sees when they no longer do.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	l := linked(t, embedded(t).Store)
	ctx := t.Context()
	old, open := l.makeLinks("one")[0], l.openLink(5)
	code := l.enter(open, "op")
	both := l.withKeys("b", "a")
	for _, credential := range []string{old, open, code} {
		if _, err := both.find(credential); err != nil {
			t.Error(err)
		}
	}
	if got := both.enter(open, "op"); got != code {
		t.Errorf("the same operation gives %q after a new key, want %q", got, code)
	}
	_, unfinished, err := both.by.UnfinishedLinks(ctx, "r1")
	must(t, err)
	if len(unfinished) != 1 || unfinished[0].Token != old {
		t.Error("the file is not made again as it was")
	}
	only := l.withKeys("b")
	list, err := only.by.Links(ctx, "r1")
	must(t, err)
	if !list.Personal[0].NeedsReissue || !list.Open.NeedsReplace {
		t.Errorf("got %+v", list)
	}
	_, unfinished, err = only.by.UnfinishedLinks(ctx, "r1")
	if err != nil || len(unfinished) != 0 {
		t.Errorf("got %d links, %v", len(unfinished), err)
	}
	if _, _, err := only.by.OpenLinkToken(ctx, "r1"); !errors.Is(err, survey.ErrOldLink) {
		t.Errorf("got %v", err)
	}
	_, fresh, err := only.by.ReissueLink(ctx, "r1", 1)
	must(t, err, only.by.ReplaceOpenLink(ctx, "r1"))
	only.finds(fresh.Token)
	if _, err := l.withKeys().by.Links(ctx, "r1"); !errors.Is(err, survey.ErrNoLinks) {
		t.Errorf("without keys: %v", err)
	}
}

// TestStoreHoldsNoLink checks that nothing in Redis is a token or a return code, or a key of them,
// before and after the close. After it there is no label either, nor anything that leads from a link
// to a person.
func TestStoreHoldsNoLink(t *testing.T) {
	t.Parallel()
	l := linked(t, embedded(t).Store)
	ctx := t.Context()
	var labels []string
	for i := range 30 {
		labels = append(labels, fmt.Sprintf("Nursery %02d", i))
	}
	secrets := l.makeLinks(labels...)
	open := l.openLink(50)
	people := map[string]bool{}
	for i := range 30 {
		code := l.enter(open, fmt.Sprint("operation-", i))
		secrets = append(secrets, code, strings.ReplaceAll(code, "-", ""))
		people[string(l.finds(code).Member.Person)] = true
	}
	for _, token := range secrets[:30] {
		people[string(l.finds(token).Member.Person)] = true
		l.answers(token)
	}
	secrets = append(secrets, open, string(linkKey("a")))
	holds := func(about string, texts []string) (n int) {
		t.Helper()
		for key, value := range everything(t, l.store) {
			for _, text := range texts {
				if strings.Contains(key+value, text) {
					n++
				}
			}
		}
		return n
	}
	if n := holds("open", secrets); n > 0 {
		t.Errorf("%d links or codes are in the store", n)
	}
	if holds("open", labels) < len(labels) {
		t.Fatal("the test looks for the wrong texts")
	}
	backup := backedUp(t, l.store)
	for _, secret := range secrets {
		if bytes.Contains(backup, []byte(secret)) {
			t.Error("a backup holds a link or a code")
		}
	}
	_, _, err := l.by.Close(ctx, "r1")
	must(t, err)
	if n := holds("closed", append(labels, secrets...)); n > 0 {
		t.Errorf("%d labels, links or codes are left after the close", n)
	}
	if n := holds("closed", []string{"parent\""}); n > 1 { // the turnout
		t.Errorf("%d keys have a role after the close", n)
	}
	index := l.store.client.HGetAll(ctx, linkIndexKey("r1")).Val()
	if len(index) != 61 || l.store.client.Exists(ctx, linksKey("r1")).Val() != 0 {
		t.Errorf("the index has %d entries", len(index))
	}
	for _, target := range index {
		if people[target] || target != personTarget && target != openTarget {
			t.Errorf("after the close a link leads to %q", target)
		}
	}
	for _, credential := range secrets[:31] {
		if v := l.finds(credential); v.Round.State != survey.Closed || v.Member != (survey.Member{}) {
			t.Errorf("after the close a link leads to %+v", v)
		}
	}
}

// TestOrderSaysNothing checks on a server, whose small hashes keep the order in which their fields
// came, that neither the roster nor the index of a closed round is in the order of the links.
func TestOrderSaysNothing(t *testing.T) {
	t.Parallel()
	l := linked(t, open(t, redistest.Start(t, redistest.Options{}).URL()))
	ctx := t.Context()
	l.makeLinks(strings.Split("abcdefghijklmnopqrst", "")...)
	token := l.openLink(50)
	for i := range 20 {
		l.enter(token, fmt.Sprint("operation-", i))
	}
	must(t, errorOf(l.store.CloseRound(ctx, "r1", time.Now(), audit.Entry{})))
	personal := slices.DeleteFunc(l.store.client.HKeys(ctx, rosterKey("r1")).Val(), func(person string) bool {
		return !strings.HasPrefix(person, "web::p")
	})
	index := l.store.client.HKeys(ctx, linkIndexKey("r1")).Val()
	if len(personal) != 20 || !slices.IsSorted(personal) {
		t.Errorf("the roster is in the order of the links: %v", personal)
	}
	if len(index) != 41 || !slices.IsSorted(index) {
		t.Errorf("the index is in the order in which people came: %v", index)
	}
}

// lostReplies is a hook that lets the first calls of a script, in full, reach the server and loses the
// replies.
type lostReplies struct {
	passHook
	source string
	left   int
}

func (h *lostReplies) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		err := next(ctx, cmd)
		if err == nil && h.left > 0 && slices.Contains(cmd.Args(), any(h.source)) {
			h.left--
			err = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset")}
			cmd.SetErr(err)
		}
		return err
	}
}

// TestForReading checks that a request that only reads sees what Find has read, and of nobody else.
func TestForReading(t *testing.T) {
	t.Parallel()
	l := linked(t, embedded(t).Store)
	tokens := l.makeLinks("one", "two")
	found, other := l.finds(tokens[0]), l.finds(tokens[1])
	person := l.rounds.For(found.Member.Person)
	must(t, errorOf(person.Start(t.Context(), "r1")))
	must(t, errorOf(l.rounds.For(other.Member.Person).Start(t.Context(), "r1")))
	reading := found.ForReading(t.Context())
	for _, c := range []struct {
		ctx    context.Context
		person survey.PersonID
		want   survey.Status
	}{
		{reading, found.Member.Person, survey.Invited},
		{t.Context(), found.Member.Person, survey.Started},
		{reading, other.Member.Person, survey.Started},
	} {
		part, err := l.rounds.For(c.person).Participation(c.ctx, "r1")
		must(t, err)
		if part.Member.Status != c.want || part.Member.Person != c.person {
			t.Errorf("got %+v, want %v", part.Member, c.want)
		}
	}
}

// TestFullLinkKeepsNothing checks that people who come by an open link that is full leave nothing in Redis: anybody may try.
func TestFullLinkKeepsNothing(t *testing.T) {
	t.Parallel()
	l := linked(t, embedded(t).Store)
	open := l.openLink(1)
	l.enter(open, "first")
	before := l.store.client.DBSize(t.Context()).Val()
	for i := range 5 {
		op := survey.Operation{ID: fmt.Sprint("late ", i)}
		if _, err := l.rounds.Visiting().Enter(t.Context(), "r1", open, op); !errors.Is(err, survey.ErrLinkFull) {
			t.Fatalf("got %v", err)
		}
	}
	if after := l.store.client.DBSize(t.Context()).Val(); after != before {
		t.Errorf("%d keys, %d before", after, before)
	}
}

// TestLostReplyOfEnter checks that a person who enters again after a reply was lost is the same.
func TestLostReplyOfEnter(t *testing.T) {
	t.Parallel()
	l := linked(t, embedded(t).Store)
	open := l.openLink(1)
	l.store.client.AddHook(&lostReplies{source: enterLinkSource, left: 1})
	op := survey.Operation{ID: "op"}
	_, err := l.rounds.Visiting().Enter(t.Context(), "r1", open, op)
	if !errors.Is(err, survey.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	code := l.enter(open, "op")
	if l.finds(code).Member.Status != survey.Invited {
		t.Error("the code leads to nobody")
	}
	list, err := l.by.Links(t.Context(), "r1")
	must(t, err)
	if list.Open.Used != 1 {
		t.Errorf("%d people came", list.Open.Used)
	}
}

// TestNoMessageByLink checks that no message is queued for people who take part by link, and that
// they are counted, but are not among the people whom the bot cannot reach.
func TestNoMessageByLink(t *testing.T) {
	t.Parallel()
	l := linked(t, embedded(t).Store)
	ctx := t.Context()
	credentials := append(l.makeLinks("one", "two"), l.enter(l.openLink(5), "op"))
	l.answers(credentials[0])
	l.answers(credentials[2])
	_, n, err := l.by.Remind(ctx, "r1")
	if err != nil || n != 1 { // Ana of slack
		t.Errorf("%d were reminded, %v", n, err)
	}
	counts, err := l.by.CountRecipients(ctx, "r1", survey.ClosesSoon, survey.WorkshopSoon, survey.Nudge)
	if err != nil || counts[survey.ClosesSoon] != 1 || counts[survey.WorkshopSoon] != 1 {
		t.Errorf("got %v, %v", counts, err)
	}
	person := l.finds(credentials[0]).Member.Person
	at := survey.Moment{Kind: survey.ClosesSoon.On("2026-12-04"), At: time.Now()}
	if _, err := l.rounds.For(person).RemindLater(ctx, "r1", at); !errors.Is(err, survey.ErrNotTakingPart) {
		t.Errorf("got %v", err)
	}
	for _, member := range l.store.client.ZRange(ctx, queueKey("r1"), 0, -1).Val() {
		if strings.Contains(member, survey.WebPlatform+":") {
			t.Errorf("a message is queued: %s", member)
		}
	}
	p, err := l.by.Progress(ctx, "r1")
	must(t, err)
	if p.Invited != 4 || p.Started != 3 || len(p.Waiting)+len(p.Done) != 1 || len(p.Lost) != 0 {
		t.Errorf("got %+v", p)
	}
}

// TestPeopleByLinkCoordinateNothing checks that such a person can neither be made a coordinator nor
// be invited, and cannot join by a button.
func TestPeopleByLinkCoordinateNothing(t *testing.T) {
	t.Parallel()
	l := linked(t, embedded(t).Store)
	ctx := t.Context()
	person := l.finds(l.makeLinks("one")[0]).Member.Person
	r, err := l.store.Round(ctx, "r1")
	must(t, err)
	r.ID, r.Coordinators = "r9", []survey.PersonID{person}
	_, creates := l.rounds.AsCreator(person).Create(ctx, r)
	_, adds := l.by.AddCoordinators(ctx, "r1", []survey.PersonID{person})
	_, self := l.rounds.AsCreator(person).AddSelf(ctx, "r1")
	_, _, operator := l.rounds.System().AddCoordinator(ctx, "r1", person)
	_, _, invites := l.by.Invite(ctx, "r1", []survey.Member{{Person: person}})
	for about, err := range map[string]error{
		"create": creates, "add": adds, "add self": self, "operator": operator, "invite": invites,
	} {
		if input, ok := errors.AsType[*survey.InputError](err); !ok || input.Reason != "web" {
			t.Errorf("%s: got %v", about, err)
		}
	}
	must(t, errorOf(l.by.AllowSelfJoin(ctx, "r1")))
	if _, err := l.rounds.For("web::pstranger").Join(ctx, "r1"); !errors.Is(err, survey.ErrNotTakingPart) {
		t.Errorf("join: got %v", err)
	}
}

// TestLinksAfterRestore checks that links work after a backup was restored, that a person who was
// erased since is not brought back, and that a round that was closed since has no links.
func TestLinksAfterRestore(t *testing.T) {
	t.Parallel()
	l := linked(t, embedded(t).Store)
	ctx := t.Context()
	tokens := l.makeLinks("one", "two", "three")
	open := l.openLink(5)
	code, gone := l.enter(open, "op-1"), l.enter(open, "op-2")
	l.answers(tokens[0])
	before := everything(t, l.store)
	backup := backedUp(t, l.store)
	for _, credential := range []string{tokens[1], gone} {
		must(t, errorOf(l.rounds.System().Forget(ctx, l.finds(credential).Member.Person)))
	}
	person := l.finds(tokens[2]).Member.Person
	must(t, errorOf(l.rounds.For(person).Withdraw(ctx, "r1")))
	restoring(t, l.store, backup, RestoreOptions{Replace: true})
	for _, credential := range []string{tokens[1], gone} {
		if v, err := l.find(credential); !errors.Is(err, survey.ErrNoLink) {
			t.Errorf("an erased person is back: %+v, %v", v, err)
		}
	}
	for _, key := range []string{linksKey("r1"), linkIndexKey("r1")} {
		if n, was := len(everything(t, l.store)[key]), len(before[key]); n == 0 || n >= was {
			t.Errorf("%s has %d bytes, and had %d", key, n, was)
		}
	}
	if got := l.finds(tokens[0]).Member.Status; got != survey.Started {
		t.Errorf("one is %q", got)
	}
	if got := l.finds(tokens[2]).Member.Status; got != survey.Withdrawn {
		t.Errorf("three is %q", got)
	}
	l.finds(code)
	if l.enter(open, "op-1") != code || len(l.enter(open, "op-3")) != 24 {
		t.Error("the open link does not work")
	}
	must(t, errorOf(l.store.CloseRound(ctx, "r1", time.Now(), audit.Entry{})))
	restoring(t, l.store, backup, RestoreOptions{Replace: true})
	if l.store.client.Exists(ctx, linksKey("r1")).Val() != 0 {
		t.Error("a closed round has links after the restore")
	}
	for hash, target := range l.store.client.HGetAll(ctx, linkIndexKey("r1")).Val() {
		if target != personTarget && target != openTarget {
			t.Errorf("%s leads to %s after the restore", hash, target)
		}
	}
	if v := l.finds(tokens[0]); v.Round.State != survey.Closed || v.Member != (survey.Member{}) {
		t.Errorf("got %+v", v)
	}
}
