package transcript_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/transcript"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// counter is a bot with one card, which everybody in a channel sees, and which says how many people
// have pressed it.
type counter struct {
	pressed map[chat.Person]bool
	more    int
	card    chat.CardRef
}

func (c *counter) Ack(e chat.Event) chat.Ack {
	if e.Action.Verb == "many" && e.Kind == chat.Press {
		return chat.AckForm
	}
	return chat.AckWhisper
}

func textCard(text, label, verb string) chat.Card {
	button := chat.Button{Label: label, Action: chat.NewAction(verb)}
	return chat.Card{Blocks: []chat.Block{
		chat.Paragraph(text), chat.Buttons{Buttons: []chat.Button{button}},
	}}
}

func (c *counter) draw(context.Context) (chat.Card, error) {
	card := textCard(fmt.Sprintf("%d have pressed.", len(c.pressed)+c.more), "Count me", "press")
	many := chat.Button{Label: "Count many", Action: chat.NewAction("many")}
	card.Blocks = append(card.Blocks, chat.Buttons{Buttons: []chat.Button{many}})
	return card, nil
}

func (c *counter) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	if e.SharedCard != (chat.CardRef{}) {
		c.card = e.SharedCard
	}
	redraw := chat.Redraw{Of: c.card, Draw: c.draw}
	switch e.Action.Verb {
	case "post":
		card, err := c.draw(ctx)
		if err != nil {
			return nil
		}
		return []chat.Reply{chat.Post{To: e.Where, Card: card}}
	case "press":
		c.pressed[e.Who] = true
		return []chat.Reply{redraw, chat.Whisper{Card: textCard("You are counted.", "Take back", "back")}}
	case "back":
		delete(c.pressed, e.Who)
		gone := chat.Card{Blocks: []chat.Block{chat.Paragraph("You are not counted.")}}
		return []chat.Reply{chat.Update{Card: gone}, redraw}
	case "many":
		if e.Kind == chat.Press {
			return []chat.Reply{chat.OpenForm{Form: chat.Form{
				Title: "Many", Submit: "Count", Cancel: "Cancel", Action: chat.NewAction("many"),
				Fields: []chat.Field{chat.Input{Label: chat.Label{ID: "n", Text: "How many?"}, Max: 3}},
			}}}
		}
		n, err := strconv.Atoi(e.Value("n"))
		if err != nil {
			return []chat.Reply{chat.FieldErrors{Fields: map[string]string{"n": "A number, please."}}}
		}
		c.more = n
		return []chat.Reply{redraw}
	}
	return nil
}

func TestSharedCard(t *testing.T) {
	const path = "testdata/shared-card.chat"
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	played, err := transcript.Play(t.Context(), bytes.NewReader(written), transcript.Stage{
		Responder: &counter{pressed: map[chat.Person]bool{}},
		Clock:     transcript.NewClock(time.Date(2026, time.December, 4, 10, 0, 0, 0, time.UTC)),
		People:    transcript.NewPeople(),
		Deliver:   func(context.Context) {},
	})
	if err != nil {
		t.Fatalf("%v, after\n%s", err, played)
	}
	if *update {
		if err := os.WriteFile(path, []byte(played), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if played != string(written) {
		t.Errorf("it is played as\n%s", played)
	}
}
