package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// open makes a bot with one open round on an embedded store, and one person who has started.
func open(t testing.TB, matrices matrix.List, languages ...matrix.Lang) (*embeddedBot, survey.RoundID, chat.Person) {
	t.Helper()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	b, err := buildForTest(matrices, noMessenger{}, now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	ben, lead := tryPerson("ben"), survey.PersonID(tryPerson("ana").String())
	r, err := b.rounds.AsCreator(lead).Create(t.Context(), survey.Round{
		ID: "abcdefgh23", Area: strings.Repeat("Ŵ", survey.MaxAreaRunes), Matrix: matrices[0].ID, Languages: languages, TimeZone: "Europe/London",
		ClosesAt: at.AddDate(0, 0, 21), Workshop: survey.Workshop{At: at.AddDate(0, 1, 0), Place: strings.Repeat("Ŷ", survey.MaxPlaceRunes)},
		Channel: chat.Place{Platform: tryPlatform, Channel: "#c"}.String(), Coordinators: []survey.PersonID{lead},
		MinGroup: 5, Consensus: results.Consensus{Percent: 70},
		Reminders: survey.ReminderPlan{BeforeClose: []int{20, 19, 18, 17, 16, 15, 14, 13, 12, 11}, BeforeWorkshop: []int{30, 29, 28, 27, 26, 25, 24, 23, 22, 21}, Hour: 10},
		Posts:     survey.DefaultPosts(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.rounds.As(lead).Open(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.rounds.As(lead).Invite(t.Context(), r.ID, []survey.Member{{Person: survey.PersonID(ben.String())}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.rounds.For(survey.PersonID(ben.String())).Start(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	return b, r.ID, ben
}

// widest returns a matrix with as much of everything, and texts as long, as the loader lets through (see limits.go in
// survey/matrix), in two languages.
func widest(t *testing.T) *matrix.Matrix {
	t.Helper()
	var b strings.Builder
	text := func(n int, i ...any) string { // n characters, no two alike
		s := fmt.Sprint(i...) + " "
		return string([]rune("ŵ" + s + strings.Repeat("ŷ", n))[:n])
	}
	both := func(n int, i ...any) string {
		return fmt.Sprintf("{en: %q, cy: %q}", text(n, append(i, "e")...), text(n, append(i, "c")...))
	}
	fmt.Fprintf(&b, "id: widest\nversion: 1\nnation: %s\nname: %s\nabout: %s\nlanguages: [en, cy]\nlevels:\n", both(60), both(90), both(300))
	for l := range 7 {
		fmt.Fprintf(&b, "  - id: level-%d\n    name: %s\n    short: %s\n    meaning: %s\n", l, both(40, l), both(28, l), both(300, l))
	}
	fmt.Fprintln(&b, "dimensions:")
	for d := range 10 {
		fmt.Fprintf(&b, "  - id: dimension-%d\n    name: %s\n    about: %s\n    core_elements:\n      - name: %s\n        elements:\n", d, both(40, d), both(300, d), both(75, d))
		for e := range 10 {
			fmt.Fprintf(&b, "          - id: abcdefghijklm-%d%d\n            name: %s\n            question: %s\n            help: %s\n            descriptors:\n", d, e, both(73, d, e), both(150, d, e), both(100, d, e))
			for l := range 7 {
				fmt.Fprintf(&b, "              level-%d: %s\n", l, both(200, d, e, l))
			}
		}
	}
	fmt.Fprintln(&b, "role_groups:")
	for g := range 4 {
		fmt.Fprintf(&b, "  - id: group-%d\n    name: %s\n    roles:\n", g, both(60, g))
		for r := range 12 {
			fmt.Fprintf(&b, "      - {id: role-%d-%d, name: %s}\n", g, r, both(22, g, r))
		}
	}
	fmt.Fprintln(&b, "information:")
	for k := range 10 {
		fmt.Fprintf(&b, "  - {id: kind-%d, name: %s}\n", k, both(45, k))
	}
	m, err := matrix.Load("widest.yaml", strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestEveryCardFits presses every button of every card that a stakeholder and a coordinator can reach, in each language,
// with each edition and with texts of every limit's length: each reply must fit both platforms.
func TestEveryCardFits(t *testing.T) {
	t.Parallel()
	other, err := loadMatrix("../../survey/matrix/testdata/eight.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]*matrix.Matrix{"eight": other, "widest": widest(t)}
	for _, m := range editions() {
		cases[m.ID] = m
	}
	for name, m := range cases {
		for _, lang := range m.Languages {
			t.Run(name+"/"+string(lang), func(t *testing.T) {
				t.Parallel()
				languages := []matrix.Lang{lang}
				for _, l := range m.Languages {
					if l != lang {
						languages = append(languages, l)
					}
				}
				b, round, ben := open(t, matrix.List{m}, languages...)
				walk(t, b, round, ben, string(lang))
			})
		}
	}
}

// pressAnswers gives an answer to each question in order, with a slip of the thumb after each, and
// looks at the cards that come.
func pressAnswers(t *testing.T, b *embeddedBot, round survey.RoundID, ben chat.Person, lang string) {
	t.Helper()
	if _, err := b.rounds.For(survey.PersonID(ben.String())).SetLanguage(t.Context(), round, matrix.Lang(lang)); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	press := func(element string, after time.Duration) string {
		at = at.Add(after)
		replies := b.bot.Handle(t.Context(), chat.Event{
			ID: element + at.String(), At: at, Kind: chat.Press, Who: ben, Where: chat.Place{Platform: tryPlatform, Channel: "@ben"},
			Action: chat.NewAction("answer", string(round), element, "1"),
		})
		u, ok := replies[0].(chat.Update)
		if !ok || len(replies) != 1 {
			t.Fatalf("answer %s: %v", element, replies)
		}
		return u.Card.String()
	}
	tooSoon := b.words.In(lang).Say("saved.too_soon")
	elements := b.matrices[0].Elements()
	for i, e := range elements {
		if card := press(e.ID, 10*time.Second); strings.Contains(card, tooSoon) {
			t.Fatal(card)
		}
		if i == len(elements)-1 {
			break
		}
		d := results.Detail{Note: strings.Repeat("N", matrix.MaxNoteRunes)}
		id := survey.PersonID(ben.String())
		if _, _, err := b.rounds.For(id).Detail(t.Context(), round, survey.Operation{ID: "detail " + e.ID}, e.ID, d); err != nil {
			t.Fatal(err)
		}
		if card := press(elements[i+1].ID, survey.DoubleTap/2); !strings.Contains(card, tooSoon) {
			t.Fatal(card)
		}
	}
}

// answerAll has enough people answer, and far enough apart, that every element is shown and to be discussed.
// It returns who they are.
func answerAll(t *testing.T, b *embeddedBot, round survey.RoundID) (people []survey.PersonID) {
	t.Helper()
	m := b.matrices[0]
	for i := range 5 {
		id := survey.PersonID(tryPerson(fmt.Sprint("other", i)).String())
		people = append(people, id)
		ana := survey.PersonID(tryPerson("ana").String())
		if _, _, err := b.rounds.As(ana).Invite(t.Context(), round, []survey.Member{{Person: id}}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.rounds.For(id).Start(t.Context(), round); err != nil {
			t.Fatal(err)
		}
		rating := matrix.Rating(1 + i%2*(len(m.Levels)-1))
		for _, e := range m.Elements() {
			if _, _, err := b.rounds.For(id).Answer(t.Context(), round, survey.Operation{ID: e.ID}, e.ID, rating); err != nil {
				t.Fatal(err)
			}
		}
	}
	return people
}

// addLinks makes more personal links than a status lists, with labels as long as they may be, and the open link.
func addLinks(t *testing.T, b *embeddedBot, round survey.RoundID) {
	t.Helper()
	by := b.rounds.LinksAs(survey.PersonID(tryPerson("ana").String()))
	var labels []string
	for i := range 30 {
		labels = append(labels, fmt.Sprintf("%02d%s", i, strings.Repeat("Ŵ", survey.MaxLabelRunes-2)))
	}
	if _, _, err := by.MakeLinks(t.Context(), round, survey.LinkRequest{Labels: labels}); err != nil {
		t.Fatal(err)
	}
	if _, err := by.AllowOpenLink(t.Context(), round, survey.MaxByOpenLink); err != nil {
		t.Fatal(err)
	}
}

func walk(t *testing.T, b *embeddedBot, round survey.RoundID, ben chat.Person, lang string) {
	t.Helper()
	m := b.matrices[0]
	pressAnswers(t, b, round, ben, lang)
	// Everything that can be long is long.
	for i, e := range m.Elements() {
		var kinds []string
		for _, k := range m.Information {
			kinds = append(kinds, k.ID)
		}
		d := results.Detail{Information: kinds, Note: strings.Repeat("N", matrix.MaxNoteRunes), Barrier: strings.Repeat("B", matrix.MaxBarrierRunes)}
		id := survey.PersonID(ben.String())
		if _, _, err := b.rounds.For(id).Detail(t.Context(), round, survey.Operation{ID: fmt.Sprint("d", i)}, e.ID, d); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.rounds.For(id).Answer(t.Context(), round, survey.Operation{ID: fmt.Sprint("a", i)}, e.ID, matrix.DontKnow); err != nil {
			t.Fatal(err)
		}
	}
	answerAll(t, b, round)
	addLinks(t, b, round)
	type step struct {
		who    chat.Person
		action string
		picked string
	}
	r, ana, seen := string(round), tryPerson("ana"), map[string]bool{}
	queue := []step{{ben, "lang:" + r + ":" + lang + ":begin", ""}, {ben, "home", ""}, {ana, "home", ""}, {ana, "new:" + lang, ""},
		{ana, "status:" + r + ":" + lang, ""}, {ana, "button:" + r + ":" + lang, ""}, {ben, "help", ""}, {ben, "kept:" + r, ""}, {ben, "list:" + r, ""}}
	last := []step{{ana, "closenow:" + r + ":" + lang, ""}, {ana, "results:" + r + ":" + lang, ""}, {ana, "export:" + r + ":" + lang, ""}, {ana, "status:" + r + ":" + lang, ""}}
	n, closed, pressed := 0, false, map[string]int{}
	for len(queue) > 0 || len(last) > 0 {
		if len(queue) == 0 {
			queue, last = last[:1], last[1:]
		}
		s := queue[0]
		queue = queue[1:]
		key := s.who.ID + s.action + " " + s.picked
		a, err := chat.DecodeAction(s.action)
		if err != nil {
			t.Fatal(err)
		}
		if seen[key] || pressed[a.Verb] > 40 || a.Verb == "erase" || a.Verb == "decline" || a.Verb == "answer" || a.Verb == "lang" && a.Args[1] != lang {
			continue
		}
		seen[key] = true
		pressed[a.Verb]++ // a hundred elements are alike; the editions have 17
		n++
		e := chat.Event{ID: fmt.Sprint("e", n), Kind: chat.Press, Who: s.who, Admin: s.who == ana, Locale: lang, Action: a,
			Where: chat.Place{Platform: tryPlatform, Channel: "#c"}}
		if s.picked != "" {
			e.Values = map[string][]string{chat.Picked: {s.picked}}
		}
		for replies := b.bot.Handle(t.Context(), e); len(replies) > 0; {
			reply := replies[0]
			replies = replies[1:]
			var card chat.Card
			var then chat.Then
			switch x := reply.(type) {
			case chat.Update:
				card = x.Card
			case chat.Whisper:
				card, then = x.Card, x.Then
			case chat.Post:
				card, then = x.Card, x.Then
				closed = closed || len(x.Files) > 0
			}
			if then != nil { // whatever becomes of a card, what comes after it fits too
				lacking := &chat.CannotPostError{Reason: chat.MissingRights, Rights: []string{"View Channel", "Send Messages", "Attach Files"}}
				for _, d := range []chat.Delivered{{}, {Missing: slices.Repeat([]string{strings.Repeat("f", 100)}, 6)}, {Err: chat.ErrUnsure}, {Err: lacking}} {
					replies = append(replies, then(d)...)
				}
			}
			text := card.String()
			if strings.Contains(text, b.words.In("en").Say("error.inside")) || strings.Contains(text, "⟦") {
				t.Fatalf("%s %s picking %q: %s", s.who.ID, s.action, s.picked, text)
			}
			for _, block := range card.Blocks {
				switch x := block.(type) {
				case chat.Buttons:
					for _, button := range x.Buttons {
						code, err := button.Action.Encode()
						if err != nil {
							t.Fatal(err)
						}
						if button.Action.Verb == "closenow" {
							continue
						}
						queue = append(queue, step{s.who, code, ""})
					}
				case chat.Menu:
					code, err := x.Action.Encode()
					if err != nil {
						t.Fatal(err)
					}
					for _, o := range x.Options {
						queue = append(queue, step{s.who, code, o.Value})
					}
				}
			}
		}
	}
	if n < 100 || !closed {
		t.Errorf("%d presses were made, and the results were posted: %v", n, closed)
	}
}

// FuzzPress gives the bot presses that no button makes: it answers each with words, and never with a failure of its own.
func FuzzPress(f *testing.F) {
	for _, s := range []string{"answer:abcdefgh23:vision:3", "answer:abcdefgh23:vision:-1", "at:abcdefgh23:x", "lang:abcdefgh23:cy:at", "detail:abcdefgh23:vision:1:england:cy",
		"jump:abcdefgh23", "role:abcdefgh23", "closenow:abcdefgh23:en", "status:*:x", "status:abcdefgh23", "results:abcdefgh23:cy:x", "new", "create:en", "undelivered:abcdefgh23", "org:abcdefgh23:zz"} {
		f.Add(s, "vision", uint8(chat.Press))
	}
	b, _, ben := open(f, editions(), "en", "cy")
	inside := b.words.In("en").Say("error.inside")
	f.Fuzz(func(t *testing.T, action, value string, kind uint8) {
		a, err := chat.DecodeAction(action)
		if err != nil {
			return
		}
		e := chat.Event{ID: "fuzz", Kind: chat.EventKind(kind % 5), Who: ben, Admin: true, Action: a, Where: chat.Place{Platform: tryPlatform, Channel: "#c"}}
		e.Values = map[string][]string{}
		for _, field := range []string{chat.Picked, "area", "matrix", "closes", "people", "list", "note", "channel", "information", "languages"} {
			e.Values[field] = []string{value}
		}
		for _, reply := range b.bot.Handle(context.Background(), e) {
			if w, ok := reply.(chat.Whisper); ok && strings.Contains(w.Card.String(), inside) {
				t.Errorf("%q with %q: %s", action, value, w.Card)
			}
		}
	})
}

// brokenArtist panics, as a fault in a library might.
type brokenArtist struct{ bot.ResultRenderer }

func (brokenArtist) Picture(results.Published, matrix.Lang) ([]byte, string, error) {
	panic("no paint")
}

// TestPanicInHandler: a panic in one event is explained to its person, is logged without what it held, and the bot goes on.
func TestPanicInHandler(t *testing.T) {
	b, round, _ := open(t, editions(), "en", "cy")
	answerAll(t, b, round) // without answers there is nothing to draw
	var log bytes.Buffer
	options := b.bot.Options
	options.Renderer, options.Log = brokenArtist{options.Renderer}, slog.New(slog.NewTextHandler(&log, nil))
	broken := bot.New(options)
	e := chat.Event{ID: "1", Kind: chat.Press, Who: tryPerson("ana"), Where: chat.Place{Platform: tryPlatform, Channel: "#c"}, Action: chat.NewAction("closenow", string(round), "en")}
	replies := broken.Handle(t.Context(), e)
	w, ok := replies[0].(chat.Whisper)
	if !ok || !strings.Contains(w.Card.String(), b.words.In("en").Say("error.inside")) {
		t.Errorf("got %v", replies)
	}
	if !strings.Contains(log.String(), "panic") || strings.Contains(log.String(), "no paint") {
		t.Errorf("the log says %s", log.String())
	}
	e.Action = chat.NewAction("home")
	if replies = broken.Handle(t.Context(), e); len(replies) != 1 {
		t.Errorf("after it: %v", replies)
	}
}

// TestLogOfStakeholders: the log tells nothing of what people do in the survey, unless it fails, and then not
// who it was. Of coordinators it tells both.
func TestLogOfStakeholders(t *testing.T) {
	b, round, ben := open(t, editions(), "en", "cy")
	var log bytes.Buffer
	options := b.bot.Options
	options.Log = slog.New(slog.NewTextHandler(&log, nil))
	logged := bot.New(options)
	do := func(who chat.Person, verb string, args ...string) string {
		log.Reset()
		logged.Handle(t.Context(), chat.Event{
			ID: rand.Text(), Kind: chat.Press, Who: who, Where: chat.Place{Platform: tryPlatform, Channel: "#c"},
			Action: chat.NewAction(verb, append([]string{string(round)}, args...)...),
		})
		return log.String()
	}
	element := editions()[0].Elements()[0].ID
	for _, verb := range []string{"go", "at", "answer", "list", "review", "submit", "kept", "stop", "resume"} {
		args := map[string][]string{"at": {element}, "answer": {element, "2"}}[verb]
		if got := do(ben, verb, args...); got != "" {
			t.Errorf("%s: %s", verb, got)
		}
	}
	if got := do(ben, "answer", element, "9"); !strings.Contains(got, "verb=answer") || strings.Contains(got, "person") {
		t.Errorf("a forged answer: %q", got)
	}
	b.store.Sleep()
	if got := do(ben, "answer", element, "2"); !strings.Contains(got, "store unavailable") || strings.Contains(got, "person") {
		t.Errorf("an answer that is not kept: %q", got)
	}
	b.store.Wake()
	if got := do(tryPerson("ana"), "status"); !strings.Contains(got, "verb=status person=") {
		t.Errorf("a coordinator: %q", got)
	}
	if got := do(ben, "status"); strings.Count(got, "verb=status") != 2 || strings.Count(got, "person=") != 2 {
		t.Errorf("somebody who may not: %q", got)
	}
}

// TestCreators lets only admins of the platform and people named in the configuration create a round.
func TestCreators(t *testing.T) {
	b, _, _ := open(t, editions(), "en", "cy")
	options := b.bot.Options
	options.Creators = []chat.Person{tryPerson("named")}
	asked := bot.New(options)
	for who, may := range map[string]bool{"named": true, "somebody": false, "boss": true} {
		replies := asked.Handle(t.Context(), chat.Event{
			ID: who, Kind: chat.Command, Who: tryPerson(who), Admin: who == "boss", Where: chat.Place{Platform: tryPlatform, Channel: "#c"}, Action: chat.NewAction("new"),
		})
		if _, opened := replies[0].(chat.OpenForm); opened != may {
			t.Errorf("%s: got %v", who, replies)
		}
	}
}

// TestJoinFromAnotherWorkspace: a round is of the workspace of its channel.
func TestJoinFromAnotherWorkspace(t *testing.T) {
	b, round, _ := open(t, editions(), "en", "cy")
	if _, err := b.rounds.As(survey.PersonID(tryPerson("ana").String())).AllowSelfJoin(t.Context(), round); err != nil {
		t.Fatal(err)
	}
	for who, in := range map[chat.Person]bool{
		tryPerson("eve"): true,
		tryPerson("fay"): false, // in another server
		{Platform: tryPlatform, Workspace: "x", ID: "eve"}: false,
		{Platform: "other", ID: "eve"}:                     false,
	} {
		where := chat.Place{Platform: tryPlatform, Channel: "#c"}
		if who.ID == "fay" {
			where.Workspace = "elsewhere"
		}
		b.bot.Handle(t.Context(), chat.Event{ID: "join " + who.String(), Kind: chat.Press, Who: who, Where: where, Action: chat.NewAction("join", string(round))})
		seat, err := b.rounds.For(survey.PersonID(who.String())).Participation(t.Context(), round)
		if err != nil || (seat.Member.Status == survey.Invited) != in {
			t.Errorf("%v: %q, %v", who, seat.Member.Status, err)
		}
	}
}

// TestManyRoundsFitACard checks that a person in many rounds with long names, who coordinates as many, sees their home
// and is asked which round they mean.
func TestManyRoundsFitACard(t *testing.T) {
	b, _, _ := open(t, editions(), "en", "cy")
	ana := survey.PersonID(tryPerson("ana").String())
	for i := range 9 {
		id := survey.RoundID("abcdefghi" + string(rune('a'+i)))
		_, err := b.rounds.AsCreator(ana).Create(t.Context(), survey.Round{
			ID: id, Area: strings.Repeat("Ŵ", survey.MaxAreaRunes), Matrix: "england", Languages: []matrix.Lang{"en"}, TimeZone: "Europe/London",
			ClosesAt: b.bot.Now().AddDate(0, 0, 21), Channel: "terminal::#c", Coordinators: []survey.PersonID{ana}, MinGroup: 5, Consensus: results.Consensus{Percent: 70},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.rounds.As(ana).Open(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.rounds.As(ana).Invite(t.Context(), id, []survey.Member{{Person: ana}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, verb := range []string{"home", "status"} {
		replies := b.bot.Handle(t.Context(), chat.Event{
			ID: verb, Kind: chat.Command, Who: tryPerson("ana"), Admin: true, Where: chat.Place{Platform: tryPlatform, Channel: "#c"}, Action: chat.NewAction(verb),
		})
		if card := replies[0].(chat.Whisper).Card.String(); strings.Contains(card, b.words.In("en").Say("error.inside")) {
			t.Errorf("%s: %s", verb, card)
		}
	}
}

// TestUnfinishedClaim asks people to look again when another process has begun their event and may not have finished
// it. An event that is finished gets no second answer.
func TestUnfinishedClaim(t *testing.T) {
	b, round, _ := open(t, editions(), "en", "cy")
	press := chat.Event{ID: "twice", Kind: chat.Press, Who: tryPerson("ana"), Where: chat.Place{Platform: tryPlatform, Channel: "#c"}, Action: chat.NewAction("button", string(round), "en")}
	if fresh, err := b.store.Claim(t.Context(), press.ID); err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	replies := b.bot.Handle(t.Context(), press)
	if len(replies) != 1 || !strings.Contains(replies[0].(chat.Whisper).Card.String(), b.words.In("en").Say("error.unavailable")) {
		t.Errorf("begun elsewhere: %v", replies)
	}
	if err := b.store.Release(t.Context(), press.ID); err != nil {
		t.Fatal(err)
	}
	if replies = b.bot.Handle(t.Context(), press); len(replies) != 2 {
		t.Errorf("the first time: %v", replies)
	}
	if replies = b.bot.Handle(t.Context(), press); len(replies) != 0 {
		t.Errorf("when it is finished: %v", replies)
	}
}

// TestCommandArgumentsPrefillForms: what a platform asks for with a command stands in the form already.
func TestCommandArgumentsPrefillForms(t *testing.T) {
	b, round, _ := open(t, editions(), "en", "cy")
	ask := func(verb string, values map[string][]string) string {
		replies := b.bot.Handle(t.Context(), chat.Event{
			ID: verb, Kind: chat.Command, Who: tryPerson("ana"), Admin: true, Where: chat.Place{Platform: tryPlatform, Channel: "#c"}, Action: chat.NewAction(verb, string(round)), Values: values,
		})
		form, ok := replies[0].(chat.OpenForm)
		if !ok {
			t.Fatalf("%s: %v", verb, replies)
		}
		return form.Form.String()
	}
	if form := ask("new", map[string][]string{"area": {"Southshire"}}); !strings.Contains(form, "‹Southshire›") {
		t.Error(form)
	}
	role := editions()[0].Roles()[0]
	if form := ask("invite", map[string][]string{"role": {role.ID}}); !strings.Contains(form, "✓ "+role.Name.In(matrix.English)) {
		t.Error(form)
	}
	for field, want := range map[string]string{"round": string(round), "role": role.ID, "other": ""} {
		got := b.bot.Suggest(t.Context(), chat.Event{Who: tryPerson("ana"), Values: map[string][]string{field: {""}}}, field)
		if want == "" && len(got) > 0 || want != "" && (len(got) == 0 || got[0].Value != want) {
			t.Errorf("%s: suggested are %v", field, got)
		}
	}
	if got := b.bot.Suggest(t.Context(), chat.Event{Who: tryPerson("eve"), Values: map[string][]string{"round": {""}}}, "round"); len(got) > 0 {
		t.Errorf("suggested to somebody who coordinates nothing: %v", got)
	}
}

// TestClosedRoundWithoutCoordinators checks that people still see their cards.
func TestClosedRoundWithoutCoordinators(t *testing.T) {
	t.Parallel()
	b, round, ben := open(t, editions(), "en", "cy")
	ana := tryPerson("ana")
	if _, _, err := b.rounds.As(survey.PersonID(ana.String())).Close(t.Context(), round); err != nil {
		t.Fatal(err)
	}
	if _, err := b.rounds.System().Forget(t.Context(), survey.PersonID(ana.String())); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	b.bot = b.newBot(noMessenger{}, b.bot.Now, slog.New(slog.NewTextHandler(&log, nil)))
	id := string(round)
	for _, who := range []chat.Person{ana, ben} {
		for _, a := range []chat.Action{chat.NewAction("notice", id), chat.NewAction("go", id), chat.NewAction("begin", id), chat.NewAction("kept", id), chat.NewAction("join", id), chat.NewAction("status", id, "en"),
			chat.NewAction("results", id, "en"), chat.NewAction("export", id, "en"), chat.NewAction("record", id, "en")} {
			said := fmt.Sprint(b.bot.Handle(t.Context(), chat.Event{ID: a.Verb + who.ID, Kind: chat.Press, Who: who, Action: a}))
			if a.Verb == "notice" && who == ben && (!strings.Contains(said, "The bot deletes what it holds about you by") || strings.Contains(said, "For questions or a complaint")) {
				t.Errorf("the notice is %s", said)
			}
		}
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Error(log.String())
	}
}

// TestJoinUnverified refuses to let people join whose membership of the workspace is not known, and asks them in both
// languages to try again.
func TestJoinUnverified(t *testing.T) {
	b, round, _ := open(t, editions(), "en", "cy")
	if _, err := b.rounds.As(survey.PersonID(tryPerson("ana").String())).AllowSelfJoin(t.Context(), round); err != nil {
		t.Fatal(err)
	}
	dai := tryPerson("dai")
	for _, unverified := range []bool{true, false} {
		e := chat.Event{ID: fmt.Sprint(unverified), Kind: chat.Press, Who: dai, Where: chat.Place{Platform: tryPlatform, Channel: "#c"},
			Action: chat.NewAction("join", string(round)), Unverified: unverified}
		text := fmt.Sprint(b.bot.Handle(t.Context(), e))
		for _, lang := range []string{"en", "cy"} {
			if strings.Contains(text, b.words.In(lang).Say("error.unverified")) != unverified {
				t.Errorf("unverified %v, %s: %s", unverified, lang, text)
			}
		}
		seat, err := b.rounds.For(survey.PersonID(dai.String())).Participation(t.Context(), round)
		if err != nil || (seat.Member.Status == survey.NotInvited) != unverified {
			t.Errorf("unverified %v: %q, %v", unverified, seat.Member.Status, err)
		}
	}
}
