package discord

import (
	"testing"
	"time"

	"maturitybot/adapters/discord/fake"
	"maturitybot/bot/chat"
)

func TestPostWithFiles(t *testing.T) {
	files := []chat.File{
		{Name: "results.png", Type: "image/png", Alt: "Bars by element", Data: []byte("\x89PNG")},
		{Name: "results.csv", Type: "text/csv", Data: []byte("a,b\n")},
	}
	bot := saying(chat.AckWhisper, replying(
		chat.Post{To: channel(team), Card: card("results"), Files: files, Then: sorry("sorry")}, chat.Whisper{Card: card("posted it")},
	))
	inBothModes(t, bot, func(t *testing.T, w *world) {
		w.Latency(func(op string) time.Duration { return map[string]time.Duration{"send": 4 * time.Second}[op] })
		w.Fail("send", fake.Fault{Lose: true})
		if a := w.Command(ana, team, "maturity results", nil); !a.OK() || a.Type != 5 {
			t.Errorf("answered with %+v", a)
		}
		w.settled(t)
		w.want(t, "channel", texts(t, w.Messages(team)), "results")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "posted it")
		for i, f := range w.Files(team) {
			if f.Name != files[i].Name || f.Alt != files[i].Alt || string(f.Data) != string(files[i].Data) || f.Type != files[i].Type {
				t.Errorf("file %d is %+v", i, f)
			}
		}
		if n := len(w.Files(team)); n != 2 {
			t.Errorf("%d files", n)
		}
	})
}

func TestPostFails(t *testing.T) {
	for name, to := range map[string]chat.Place{
		"hidden": channel("1100000000000000202"), "closed": channel("1100000000000000203"), "gone": channel("1100000000000000204"),
		"elsewhere": {Platform: "slack", Workspace: "T1", Channel: "C1"},
	} {
		t.Run(name, func(t *testing.T) {
			bot := saying(chat.AckWhisper, replying(
				chat.Post{To: to, Card: card("results"), Then: sorry("I may not write there")}, chat.Post{To: channel(team), Card: card("more"), Then: sorry("sorry")},
				chat.Whisper{Card: card("posted it")},
			))
			inBothModes(t, bot, func(t *testing.T, w *world) {
				w.AddChannel(fake.Channel{ID: "1100000000000000202", Hidden: true})
				w.AddChannel(fake.Channel{ID: "1100000000000000203", Closed: true})
				w.Command(ana, team, "maturity results", nil)
				w.settled(t)
				w.want(t, "whispers", texts(t, w.Whispers(ana)), "I may not write there")
				w.want(t, "channel", texts(t, w.Messages(team)), "")
			})
		})
	}
}

// The bot does not report a failed post if the post may have arrived.
func TestPostUnsure(t *testing.T) {
	bot := saying(chat.AckWhisper, replying(chat.Post{To: channel(team), Card: card("results"), Then: sorry("sorry")}, chat.Whisper{Card: card("done")}))
	byHTTP(t, bot(), func(t *testing.T, w *world) {
		w.Fail("send", fake.Fault{Lose: true}, fake.Fault{Lose: true}, fake.Fault{Lose: true}, fake.Fault{Lose: true})
		w.Command(ana, team, "maturity results", nil)
		w.settled(t)
		w.want(t, "channel", texts(t, w.Messages(team)), "results")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done")
	})
}
