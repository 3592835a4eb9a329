package discord

import (
	"testing"
	"time"

	"maturitybot/bot/chat"
)

// A press on a card that everybody sees does not change the card: the reply is shown to the person
// who pressed.
func TestSharedCardNotUpdated(t *testing.T) {
	for _, took := range []time.Duration{0, 8 * time.Second} {
		inBothModes(t, saying(chat.AckUpdate, after(took, replying(chat.Update{Card: card("your own answers")}))), func(t *testing.T, w *world) {
			m := w.post(t, card("join us", "join"))
			if a := w.Press(eve, m, "join", ""); !a.OK() {
				t.Errorf("answered with %+v", a)
			}
			w.settled(t)
			w.want(t, "channel", texts(t, w.Messages(team)), "join us / [join]")
			w.want(t, "Eve's whispers", texts(t, w.Whispers(eve)), "your own answers")
			w.want(t, "Ben's whispers", texts(t, w.Whispers(ben)), "")
		})
	}
}
