package terminal

import (
	"slices"
	"testing"

	"charm.land/lipgloss/v2"

	"maturitybot/bot/chat"
)

func TestMeterHiddenFromScreenReaders(t *testing.T) {
	spans := harmlessSpans([]chat.Span{chat.Words("2 of 3 "), chat.Meter{Done: 2, Total: 3}})
	if got := spanned(spans, lipgloss.NewStyle()); got != "2 of 3 ▰▰▱" {
		t.Errorf("on a screen: %q", got)
	}
	if got := unstyled(spans); got != "2 of 3" {
		t.Errorf("in plain lines: %q", got)
	}
}

func TestChannelFieldSameWorkspace(t *testing.T) {
	k := &talk{me: chat.Person{Platform: "terminal", Workspace: "w", ID: "you"}}
	field := chat.Channel{Label: chat.Label{ID: "channel", Text: "Channel", Optional: true}}
	for typed, want := range map[string]string{" #team ": "terminal:w:#team", "slack:T1:C1": "slack:T1:C1"} {
		if got, complaint := k.check(field, []string{typed}); complaint != "" || !slices.Equal(got, []string{want}) {
			t.Errorf("%q: got %v, %q; want %s", typed, got, complaint, want)
		}
	}
}
