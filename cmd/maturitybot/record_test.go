package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"maturitybot/adapters/redis"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
)

// TestLongestAuditLogFits checks that each page of the longest log fits both platforms in both languages, also after the
// log was tampered with.
func TestLongestAuditLogFits(t *testing.T) {
	t.Parallel()
	b, round, _ := open(t, editions(), "en", "cy")
	ctx, ana := t.Context(), tryPerson("ana")
	note := func(e audit.Entry) {
		t.Helper()
		if err := b.store.AppendEntry(ctx, round, func([]audit.Entry) (audit.Entry, bool) { return e, true }); err != nil {
			t.Fatal(err)
		}
	}
	full := survey.Round{Area: strings.Repeat("Ŵ", survey.MaxAreaRunes), Workshop: survey.Workshop{Place: strings.Repeat("Ŷ", survey.MaxPlaceRunes)},
		TimeZone: "America/Argentina/ComodRivadavia", Languages: []matrix.Lang{"en", "cy"}, MinGroup: 5,
		Posts: survey.ChannelPlan{Digest: strings.Repeat("1", 120), Disabled: survey.OptionalPosts}, Reminders: survey.ReminderPlan{Cron: strings.Repeat("2", 120)}}
	for i := range survey.MaxCoordinators {
		full.Coordinators = append(full.Coordinators, survey.PersonID(fmt.Sprintf("slack:T0123456789:U%030d", i)))
	}
	other := full
	other.Area, other.Workshop.Place, other.Posts.Digest, other.Reminders.Cron = strings.Repeat("Ê", survey.MaxAreaRunes), strings.Repeat("Ô", survey.MaxPlaceRunes), "", ""
	var long []audit.Entry
	for _, act := range []audit.Action{audit.Plan, audit.Workshop, audit.Redrafted, audit.Team} {
		long = append(long, audit.Entry{By: string(full.Coordinators[0]), Action: act, Changes: survey.Changes(full, other)},
			audit.Entry{By: string(full.Coordinators[0]), Action: act, Changes: survey.Changes(survey.Round{}, full)}, // everything is new
			audit.Entry{By: string(full.Coordinators[0]), Action: act, Changes: []audit.Change{{Field: "posts_off", New: "opened, digest, last"}, {Field: "far"}}})
	}
	long = append(long, audit.Entry{By: audit.Operator, Action: audit.Restored, Changes: []audit.Change{{Field: audit.FieldBackup, New: "2026-11-23T09:00:00Z"}}})
	for range 3 {
		for _, e := range long {
			note(e)
		}
	}
	pages := func(want string) {
		t.Helper()
		for _, lang := range []string{"en", "cy"} {
			seen := map[string]bool{}
			for queue := []chat.Action{chat.NewAction("record", string(round), lang)}; len(queue) > 0; queue = queue[1:] {
				code, err := queue[0].Encode()
				if err != nil {
					t.Fatal(err)
				}
				if seen[code] {
					continue
				}
				seen[code] = true
				for _, reply := range b.bot.Handle(ctx, chat.Event{ID: code, Kind: chat.Press, Who: ana, Action: queue[0]}) {
					var card chat.Card
					switch x := reply.(type) {
					case chat.Update:
						card = x.Card
					case chat.Whisper:
						card = x.Card
					}
					if text := card.String(); strings.Contains(text, "⟦") || !strings.Contains(text, b.words.In(lang).Say(want, "n", 3)) {
						t.Fatalf("%s: %s", code, text)
					}
					for _, block := range card.Blocks {
						if x, ok := block.(chat.Buttons); ok {
							for _, button := range x.Buttons {
								if button.Action.Verb == "page" {
									queue = append(queue, button.Action)
								}
							}
						}
					}
				}
			}
			if len(seen) < 5 {
				t.Errorf("%s: %d pages: %v", lang, len(seen), seen)
			}
		}
	}
	pages("record.whole")
	b.rounds = survey.NewRounds(tampered{b.store}, b.matrices, b.bot.Now)
	b.bot = b.newBot(noMessenger{}, b.bot.Now, slog.New(slog.DiscardHandler))
	pages("record.broken")
}

// tampered is a store whose audit logs were changed from the third entry on.
type tampered struct{ *redis.EmbeddedStore }

func (m tampered) AuditLog(ctx context.Context, id survey.RoundID) ([]audit.Entry, error) {
	all, err := m.EmbeddedStore.AuditLog(ctx, id)
	lots := strings.Repeat("x", 5000)
	for i, odd := range []audit.Entry{
		{}, {Action: "x", Hash: lots}, {Action: audit.Invited}, {Action: audit.Refused, By: lots, Changes: []audit.Change{{Field: audit.FieldVerb, New: lots}}},
		{Action: audit.Full}, {Action: audit.Plan, Changes: []audit.Change{{Field: lots, New: "x"}, {Field: "posts_off", New: lots}, {Field: "closes", New: lots}, {Field: "languages", Old: lots}}},
	} {
		odd.Seq = 3 + i
		all[2+i] = odd
	}
	return all, err
}

// TestRefusalsHaveLabels: whatever a stranger tries of what is a coordinator's, the record says it in words, in both languages.
func TestRefusalsHaveLabels(t *testing.T) {
	t.Parallel()
	b, round, ben := open(t, editions(), "en", "cy")
	r, tried := string(round), 0
	for _, verb := range []string{"status", "remind", "plan", "close", "team", "record"} { // more than one person's share
		if err := b.rounds.System().AuditRefused(t.Context(), round, survey.PersonID(ben.String()), verb); err != nil {
			t.Fatal(err)
		}
	}
	where := chat.Place{Platform: tryPlatform, Channel: "#c"}
	for _, verb := range []string{"redraft", "saveround", "rules", "saverules", "open", "invite", "sendinvite", "button", "status", "remind", "reminders", "plan",
		"saveplan", "posts", "saveposts", "pause", "goon", "extend", "saveextend", "workshop", "saveplace", "team", "saveteam", "close", "closenow", "closeonly", "results",
		"export", "record", "page"} {
		for _, kind := range []chat.EventKind{chat.Press, chat.Submit} {
			e := chat.Event{ID: fmt.Sprint(verb, kind), Kind: kind, Who: tryPerson("try-" + verb), Where: where, Action: chat.NewAction(verb, r, "en"),
				Values: map[string][]string{"closes": {"2027-01-01"}, "before_close": {"7"}, "before_workshop": {"7"}, "hour": {"10:00"}}}
			if verb == "page" {
				e.Action = chat.NewAction(verb, r, "en", "1")
			}
			for _, reply := range b.bot.Handle(t.Context(), e) {
				if w, ok := reply.(chat.Whisper); ok && strings.Contains(w.Card.String(), b.words.In("en").Say("error.not_coordinator")) {
					tried++
				}
			}
		}
	}
	entries, err := b.store.AuditLog(t.Context(), round)
	if err != nil {
		t.Fatal(err)
	}
	if tried != 30 {
		t.Errorf("%d of 30 were refused", tried)
	}
	refused := 0
	for _, e := range entries {
		if e.Action == audit.Refused {
			refused++
		}
	}
	if refused != tried+audit.RefusedQuota {
		t.Errorf("%d refusals are recorded", refused)
	}
	for _, lang := range []string{"en", "cy"} {
		for top := len(entries); top > 0; top -= 8 {
			e := chat.Event{Kind: chat.Press, Who: tryPerson("ana"), Where: where, Action: chat.NewAction("page", r, lang, fmt.Sprint(top))}
			text := fmt.Sprint(b.bot.Handle(t.Context(), e))
			if strings.Contains(text, b.words.In(lang).Say("record.unreadable")) || strings.Contains(text, "⟦") {
				t.Errorf("%s", text)
			}
		}
	}
}
