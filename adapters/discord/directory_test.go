package discord

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"maturitybot/adapters/discord/fake"
	"maturitybot/bot/chat"
)

func TestFind(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: "1100000000000000301", Name: "outside", Outside: true})
		w.AddUser(fake.User{ID: "1100000000000000302", Name: "benjamin"})
		for _, word := range []string{"<@" + ben + ">", "<@!" + ben + ">", ben, "ben", "@ben", "BEN", " ben "} {
			if p, err := w.discord.Find(t.Context(), channel(team), word); err != nil || p != person(ben) {
				t.Errorf("%q: %v, %v", word, p, err)
			}
		}
		for _, word := range []string{"", "@", "be", "ben@example.org", "ben smith", "<@" + fake.App + ">", "maturity", "<@1100000000000000999>", "1100000000000000301", "outside", "12345", "<@&" + ben + ">", "../x"} {
			if p, err := w.discord.Find(t.Context(), channel(team), word); !errors.Is(err, chat.ErrNobody) {
				t.Errorf("%q: %v, %v", word, p, err)
			}
		}
		if p, err := w.discord.Find(t.Context(), channel(fake.DM(ana)), ben); err != nil || p != person(ben) {
			t.Errorf("from a conversation: %v, %v", p, err)
		}
		for _, from := range []chat.Place{channel(fake.DM(ana)), place("1100000000000000999", team), place("../x", team), {Platform: "slack", Workspace: "T", Channel: team}} {
			if p, err := w.discord.Find(t.Context(), from, "ben"); !errors.Is(err, chat.ErrNobody) {
				t.Errorf("from %v: %v, %v", from, p, err)
			}
		}
		w.Fail("search", fake.Fault{Status: 403, Code: 50001})
		if _, err := w.discord.Find(t.Context(), channel(team), "ben"); !errors.Is(err, chat.ErrNobody) {
			t.Errorf("where Discord does not search: %v", err)
		}
		if n := len(w.Calls("channel")); n != 0 {
			t.Errorf("asked %d times which server a channel is in: the place says so", n)
		}
		w.Down(true)
		if _, err := w.discord.Find(t.Context(), channel(team), "ben"); err == nil || errors.Is(err, chat.ErrNobody) {
			t.Errorf("while Discord is away: %v", err)
		}
		w.Down(false)
	})
}

func TestMembers(t *testing.T) {
	const midwives, admins, leads = "1100000000000000401", "1100000000000000402", "1100000000000000403"
	const view = 1 << 10
	bubble(t, func(t *testing.T, w *world) {
		w.AddRole(fake.Role{ID: midwives})
		w.AddRole(fake.Role{ID: leads})
		w.AddRole(fake.Role{ID: admins, Permissions: administrator})
		w.AddUser(fake.User{ID: ana, Name: "ana", Roles: []string{admins}})
		w.AddUser(fake.User{ID: ben, Name: "ben", Roles: []string{midwives, leads}})
		w.AddUser(fake.User{ID: fake.Owner, Name: "owner"})
		if _, err := w.discord.Members(t.Context(), channel(team)); !errors.Is(err, chat.ErrNobody) {
			t.Errorf("without the intent: %v", err)
		}
		w.MembersIntent(true)
		for i, c := range []struct {
			overwrites []fake.Overwrite
			want       []string
		}{
			{nil, []string{fake.Owner, ana, ben, eve}},
			{[]fake.Overwrite{{ID: fake.Guild, Deny: view}}, []string{fake.Owner, ana}},
			{[]fake.Overwrite{{ID: midwives, Allow: view}, {ID: fake.Guild, Deny: view}}, []string{fake.Owner, ana, ben}},
			{[]fake.Overwrite{{ID: fake.Guild, Deny: view}, {ID: eve, Allow: view}, {ID: ana, Deny: view}}, []string{fake.Owner, ana, eve}},
			{[]fake.Overwrite{{ID: leads, Allow: view}, {ID: midwives, Deny: view}}, []string{fake.Owner, ana, ben, eve}},
			{[]fake.Overwrite{{ID: midwives, Deny: view}}, []string{fake.Owner, ana, eve}},
		} {
			id := fmt.Sprint(1100000000000000500 + i)
			w.AddChannel(fake.Channel{ID: id, Overwrites: append(c.overwrites, fake.Overwrite{ID: fake.App, Allow: view})})
			all, err := w.discord.Members(t.Context(), channel(id))
			var got []string
			for _, p := range all {
				got = append(got, p.ID)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%d: %v, %v, want %v", i, got, err, c.want)
			}
		}
		w.AddChannel(fake.Channel{ID: "1100000000000000600", Type: 11})
		w.AddChannel(fake.Channel{ID: elsewhere, Guild: fake.Other})
		for _, p := range []chat.Place{channel("1100000000000000600"), channel(fake.DM(ben)), channel("1100000000000000999"), channel(elsewhere), place(fake.Other, team), place("", team), {Platform: "slack", Channel: "C1"}} {
			if all, err := w.discord.Members(t.Context(), p); !errors.Is(err, chat.ErrNobody) {
				t.Errorf("%v: %v, %v", p, all, err)
			}
		}
		for i := range 2500 {
			w.AddUser(fake.User{ID: fmt.Sprint(1200000000000000000 + i), Name: fmt.Sprint("n", i)})
		}
		if all, err := w.discord.Members(t.Context(), channel(team)); err != nil || len(all) != 2504 {
			t.Errorf("%d members, %v", len(all), err)
		}
	})
}
