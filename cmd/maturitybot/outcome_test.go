package main

import (
	"context"
	"fmt"
	"testing"

	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// TestEventOutcomes counts each event by its verb, if the bot has it, and by one of four outcomes.
func TestEventOutcomes(t *testing.T) {
	s := newSeason(t, editions(), survey.Round{Area: "Northshire", Languages: []matrix.Lang{"en"}})
	var came bot.Handled
	s.bot.Handled = func(h bot.Handled) { came = h }
	press := func(verb string, args ...string) chat.Event {
		return chat.Event{Kind: chat.Press, Who: tryPerson("eve"), Action: chat.NewAction(verb, args...)}
	}
	for _, c := range []struct {
		event  chat.Event
		change func()
		want   string
	}{
		{event: chat.Event{Kind: chat.Command, Who: tryPerson("eve"), Action: chat.NewAction("help")}, want: "help ok"},
		{event: press("dance", "T0KEN"), want: "unknown refused"},
		{event: press("status", "abcdefgh23", "en"), want: "status refused"},
		{event: press("begin", "zzzzzzzz99"), want: "begin refused"},
		{event: press("begin", "abcdefgh23"), change: s.store.Sleep, want: "begin unavailable"},
		{event: press("results", "abcdefgh23", "en"), change: func() { s.store.Wake(); s.bot.Rounds = nil }, want: "results failed"},
	} {
		if c.change != nil {
			c.change()
		}
		s.bot.Handle(context.Background(), c.event)
		if got := fmt.Sprint(came.Verb, " ", came.Outcome); got != c.want || came.Platform != tryPlatform || came.Took < 0 {
			t.Errorf("got %s of %+v, want %s", got, came, c.want)
		}
	}
}
