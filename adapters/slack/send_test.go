package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
)

func TestSendUnreachable(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: "U0GONE0000", Deleted: true})
		w.AddUser(fake.User{ID: "U0STRANGE0", Stranger: true})
		for _, id := range []string{"U0GONE0000", "U0STRANGE0", "U0NOBODY00", fake.Bot} {
			if err := w.slack.Send(t.Context(), "", chat.Person{Platform: Platform, Workspace: fake.Team, ID: id}, card("hello")); !errors.Is(err, chat.ErrUnreachable) {
				t.Errorf("%s: %v", id, err)
			}
		}
		w.MessagesTab(false)
		if err := w.slack.Send(t.Context(), "", personAna, card("hello")); err == nil || errors.Is(err, chat.ErrUnreachable) {
			t.Errorf("messages tab off: %v", err)
		}
		if !strings.Contains(w.log.String(), "Messages Tab") {
			t.Errorf("the operator is not warned:\n%s", w.log)
		}
		w.MessagesTab(true)
		for _, word := range []string{"token_revoked", "missing_scope", "account_inactive"} {
			w.Fail("chat.postMessage", fake.Fault{Error: word})
			if err := w.slack.Send(t.Context(), "", personAna, card("hello")); err == nil || errors.Is(err, chat.ErrUnreachable) || errors.Is(err, chat.ErrUnsure) {
				t.Errorf("%s: %v", word, err)
			}
		}
		if !strings.Contains(w.log.String(), "install the app again") {
			t.Errorf("the operator is not warned:\n%s", w.log)
		}
	})
}

func TestBulkDoesNotDelayReplies(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one"))
		began := time.Now()
		var all sync.WaitGroup
		for n := range 40 {
			id := fmt.Sprintf("U0MANY%04d", n)
			w.AddUser(fake.User{ID: id})
			all.Go(func() { w.send(t, id, card("join")) })
		}
		time.Sleep(2 * time.Second)
		if a := w.Press(ben, m, "one", ""); a.Took > 100*time.Millisecond {
			t.Errorf("the press waited %v", a.Took)
		}
		synctest.Wait()
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after one")
		all.Wait()
		if took := time.Since(began); took < 9*time.Second || took > 12*time.Second {
			t.Errorf("40 messages took %v, want four a second", took)
		}
	})
}

func TestPostWithFiles(t *testing.T) {
	posts := func(context.Context, chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: placeTeam, Card: card("results"), Then: sorry("sorry"), Files: []chat.File{
			{Name: "a.png", Type: "image/png", Alt: "bars", Data: []byte("png")}, {Name: "b.csv", Type: "text/csv", Data: []byte("x,y")},
		}}, chat.Whisper{Card: card("done")}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.Fail("upload", fake.Fault{Status: 500})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "channel", texts(t, w.Messages(team)), "results; 2 files")
		files := w.Files(team)
		if len(files) != 2 || files[0].Name != "a.png" || files[0].Alt != "bars" || string(files[1].Data) != "x,y" {
			t.Errorf("files are %+v", files)
		}
		w.want(t, "completed in one go", fmt.Sprint(len(w.Calls("files.completeUploadExternal"))), "1")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done")

		w.AddChannel(fake.Channel{ID: team, Members: []string{ana, ben}})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "channel without the bot", texts(t, w.Messages(team)), "results; 2 files")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done; sorry")
	})
}

// An upload address receives exactly the bytes of the file.
func TestUpload(t *testing.T) {
	data := []byte("\xef\xbb\xbfn,share\r\n--boundary--\r\n\x00\xff")
	posts := func(context.Context, chat.Event) []chat.Reply {
		file := chat.File{Name: "a.csv", Type: "text/csv", Data: data}
		return []chat.Reply{chat.Post{To: placeTeam, Card: card("results"), Then: sorry("sorry"), Files: []chat.File{file}}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		if files := w.Files(team); len(files) != 1 || !bytes.Equal(files[0].Data, data) {
			t.Errorf("files are %+v", files)
		}
	})
}

func TestPostAsNonMember(t *testing.T) {
	to := placeTeam
	posts := func(context.Context, chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: to, Card: card("join"), Then: sorry("sorry")}, chat.Whisper{Card: card("done")}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.AddChannel(fake.Channel{ID: team, Members: []string{ana}, Private: true})
		w.Command(ana, team, "button")
		time.Sleep(2 * time.Second)
		w.want(t, "channel", texts(t, w.Messages(team)), "join")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done")
		for name, c := range map[string]fake.Channel{
			"C0OTHER000": {}, "C0ARCHIVE0": {BotIn: true, Archived: true}, "C0CLOSED00": {BotIn: true, Closed: true},
		} {
			c.ID = name
			w.AddChannel(c)
			to.Channel = name
			w.Command(ana, team, "button")
			time.Sleep(2 * time.Second)
			w.want(t, name, texts(t, w.Messages(name)), "")
		}
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done; sorry; sorry; sorry")
	})
}

// Once the card is posted, missing files neither undo the post nor stop the other replies.
func TestPostMissingFiles(t *testing.T) {
	posts := func(context.Context, chat.Event) []chat.Reply {
		files := []chat.File{{Name: "a.png", Type: "image/png", Alt: "bars", Data: []byte("png")}}
		then := func(d chat.Delivered) []chat.Reply {
			return []chat.Reply{chat.Whisper{Card: card(fmt.Sprint("missing ", d.Missing))}}
		}
		return []chat.Reply{chat.Post{To: placeTeam, Card: card("results"), Then: then, Files: files}, chat.Whisper{Card: card("done")}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.Fail("files.completeUploadExternal", fake.Fault{Status: 503})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "after a fault that is over", texts(t, w.Messages(team)), "results; 1 files")
		w.Fail("files.completeUploadExternal", fake.Fault{Error: "posting_to_channel_denied"})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "without its files", texts(t, w.Messages(team)), "results; 1 files; results")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "missing []; done; missing [a.png]; done")
		w.Fail("files.getUploadURLExternal", fake.Fault{Error: "file_upload_size_restricted"})
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "not even uploaded", texts(t, w.Messages(team)), "results; 1 files; results; results")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "missing []; done; missing [a.png]; done; missing [a.png]; done")
		if !strings.Contains(w.log.String(), "posted without 1 files") {
			t.Errorf("the operator is not warned:\n%s", w.log)
		}
	})
}

func TestPostPacing(t *testing.T) {
	posts := func(context.Context, chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: placeTeam, Card: card("one")}, chat.Post{To: placeTeam, Card: card("two")}}
	}
	byHTTP(t, posts, func(t *testing.T, w *world) {
		w.Command(ana, team, "results")
		time.Sleep(3 * time.Second)
		calls := w.Calls("chat.postMessage")
		if len(calls) != 2 || calls[1].At.Sub(calls[0].At) < time.Second {
			t.Errorf("posted at %+v", calls)
		}
	})
}

func TestPostUnprompted(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		files := []chat.File{{Name: "chart.png", Type: "image/png", Alt: "A chart.", Data: []byte("png")}}
		if err := w.slack.Post(t.Context(), "id", placeTeam, card("closed"), files); err != nil {
			t.Fatal(err)
		}
		posted := w.Messages(team)
		if len(posted) != 2 || !strings.Contains(posted[0].Text, "closed") || len(w.Files(team)) != 1 || w.Files(team)[0].Alt != "A chart." {
			t.Errorf("the channel has %+v", posted)
		}
		w.AddChannel(fake.Channel{ID: "C0ELSEWHERE"})
		elsewhere := chat.Place{Platform: Platform, Workspace: fake.Team, Channel: "C0ELSEWHERE"}
		if err := w.slack.Post(t.Context(), "id", elsewhere, card("closed"), nil); !errors.Is(err, chat.ErrUnreachable) {
			t.Errorf("to a channel without the bot: %v", err)
		}
		w.Fail("chat.postMessage", fake.Fault{Lose: true})
		if err := w.slack.Post(t.Context(), "id", placeTeam, card("lost"), nil); !errors.Is(err, chat.ErrUnsure) {
			t.Errorf("when the answer is lost: %v", err)
		}
	})
}

// sorry returns a Then that whispers a text if a card was not sent.
func sorry(text string) chat.Then {
	return func(d chat.Delivered) []chat.Reply {
		if !d.Failed() {
			return nil
		}
		return []chat.Reply{chat.Whisper{Card: card(text)}}
	}
}
