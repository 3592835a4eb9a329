package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	discordfake "maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platform/platformlaw"
	slackfake "maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
	"maturitybot/bot/transcript"
)

// TestSharedCardOnPlatforms plays the conversation about a card that everybody sees on each platform.
func TestSharedCardOnPlatforms(t *testing.T) {
	t.Parallel()
	for _, other := range []bool{false, true} {
		t.Run(fmt.Sprintf("slack/sockets=%v", other), func(t *testing.T) {
			t.Parallel()
			f := slackfake.New(t)
			f.AckTimeout(testTimeout)
			playSharedCard(t, onSlack{f, other})
		})
		t.Run(fmt.Sprintf("discord/gateway=%v", other), func(t *testing.T) {
			t.Parallel()
			f := discordfake.New(t)
			f.AckTimeout(testTimeout)
			playSharedCard(t, onDiscord{f, other})
		})
	}
}

func playSharedCard(t *testing.T, f fakePlatform) {
	written, err := os.ReadFile("../../bot/transcript/testdata/shared-card.chat")
	if err != nil {
		t.Fatal(err)
	}
	counter := platformlaw.NewCounter()
	s := &onPlatform{
		t: t, platform: f, log: slog.New(slog.DiscardHandler), people: transcript.NewPeople(),
		bot:   func() chat.Responder { return counter },
		names: map[string]string{}, known: map[string]actor{}, actions: map[string]message{},
		opened: map[string]func() acknowledged{}, visitors: map[string][]string{},
	}
	s.connect()
	t.Cleanup(s.stop)
	played, err := transcript.Play(t.Context(), bytes.NewReader(written), transcript.Stage{
		Responder: s,
		Clock:     transcript.NewClock(time.Date(2026, time.December, 4, 10, 0, 0, 0, time.UTC)),
		People:    s.people,
		Deliver:   func(context.Context) {},
	})
	if err != nil {
		t.Fatalf("%v, after\n%s", err, played)
	}
	if want, got := alikeOnDiscord(string(written)), alikeOnDiscord(played); got != want {
		t.Errorf("on this platform it goes otherwise:\n%s", firstDifference(want, got))
	}
}
