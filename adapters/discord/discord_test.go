package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platformtest"
	"maturitybot/bot/chat"
)

const (
	ana  = "1100000000000000101"
	ben  = "1100000000000000102"
	eve  = "1100000000000000103"
	team = "1100000000000000201"
	// elsewhere is a channel of the other server, once a test has made it.
	elsewhere = "1100000000000000204"
)

// channel returns a channel of the server, or a person's conversation with the bot.
func channel(id string) chat.Place {
	if strings.HasPrefix(id, "9") {
		return place("", id)
	}
	return place(fake.Guild, id)
}

type world struct {
	*fake.Server
	discord *Discord
	bot     *platformtest.Script
	log     *platformtest.Log
}

func (w *world) options() Options {
	return Options{
		Token: fake.Token, PublicKey: fake.PublicKey, APIURL: fake.URL, Dial: w.Dial, Commands: specs, Responder: w.bot,
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
}

// stage returns a server with Ana, Ben and Eve, a channel, and the bot.
func stage(t *testing.T, bot *platformtest.Script, change ...func(*Options)) *world {
	t.Helper()
	w := &world{Server: fake.New(t), bot: bot, log: &platformtest.Log{}}
	w.AddUser(fake.User{ID: ana, Name: "ana", Admin: true})
	w.AddUser(fake.User{ID: ben, Name: "ben"})
	w.AddUser(fake.User{ID: eve, Name: "eve"})
	w.AddChannel(fake.Channel{ID: team})
	o := w.options()
	for _, c := range change {
		c(&o)
	}
	w.discord = w.start(t, o)
	return w
}

// start connects a bot to the server, and closes it with the test.
func (w *world) start(t *testing.T, o Options) *Discord {
	t.Helper()
	d, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if err := d.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
		if strings.Contains(w.log.String(), fake.Token) || strings.Contains(w.log.String(), "aW50ZXJhY3Rpb24") {
			t.Errorf("a token was logged:\n%s", w.log)
		}
		for _, c := range w.Calls("") {
			if len(c.Body) > 0 && (c.Op == "send" || c.Op == "edit" || c.Op == "followup" || c.Op == "original") && !strings.Contains(string(c.Body), `"allowed_mentions":{"parse":[]}`) {
				t.Errorf("%s could notify a person: %s", c.Op, c.Body)
			}
		}
	})
	return d
}

// byHTTP runs play on a server that delivers by HTTP, in a bubble whose time passes at once.
func byHTTP(t *testing.T, bot *platformtest.Script, play func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, bot)
		w.Serve(w.discord.Handler())
		play(t, w)
		synctest.Wait()
	})
}

// byGateway runs play on a server that delivers by the gateway.
func byGateway(t *testing.T, bot *platformtest.Script, play func(*testing.T, *world), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, bot, change...)
		w.run(t, w.discord)
		play(t, w)
		synctest.Wait()
	})
}

// run connects the bot to the gateway until the test ends.
func (w *world) run(t *testing.T, d *Discord) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	before := w.Sessions()
	go func() { ended <- d.RunGateway(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("gateway: %v", err)
		}
	})
	if !w.Until(func() bool { return w.Sessions() > before }) {
		t.Fatalf("no session\n%s", w.log)
	}
	synctest.Wait()
}

// inBothModes runs play by HTTP and by the gateway.
func inBothModes(t *testing.T, bot func() *platformtest.Script, play func(*testing.T, *world)) {
	t.Helper()
	t.Run("http", func(t *testing.T) { byHTTP(t, bot(), play) })
	t.Run("gateway", func(t *testing.T) { byGateway(t, bot(), play) })
}

func saying(ack chat.Ack, handle func(context.Context, chat.Event) []chat.Reply) func() *platformtest.Script {
	return func() *platformtest.Script {
		return &platformtest.Script{How: func(chat.Event) chat.Ack { return ack }, Does: handle}
	}
}

func card(text string, buttons ...string) chat.Card {
	c := chat.Card{Blocks: []chat.Block{chat.Paragraph(text)}}
	if len(buttons) > 0 {
		var row chat.Buttons
		for _, b := range buttons {
			row.Buttons = append(row.Buttons, chat.Button{Label: b, Action: chat.NewAction(b)})
		}
		c.Blocks = append(c.Blocks, row)
	}
	return c
}

func form(fields ...chat.Field) chat.Form {
	return chat.Form{Title: "Detail", Submit: "Save", Cancel: "Cancel", Action: chat.NewAction("keep"), Fields: fields}
}

// say puts a card into a person's conversation with the bot, and returns it as the person sees it.
func (w *world) say(t *testing.T, to string, c chat.Card) fake.Message {
	t.Helper()
	if err := w.discord.Send(t.Context(), "", person(to), c); err != nil {
		t.Fatal(err)
	}
	all := w.Messages(fake.DM(to))
	return all[len(all)-1]
}

// post puts a card into the channel.
func (w *world) post(t *testing.T, c chat.Card) fake.Message {
	t.Helper()
	if err := w.discord.Post(t.Context(), "", channel(team), c, nil); err != nil {
		t.Fatal(err)
	}
	all := w.Messages(team)
	return all[len(all)-1]
}

// whispered makes a card that only one person sees: the bot's next reply to a command of theirs.
func (w *world) whispered(t *testing.T, to string) fake.Message {
	t.Helper()
	if a := w.Command(to, team, "maturity home", nil); !a.OK() {
		t.Fatalf("the command was answered with %+v\n%s", a, w.log)
	}
	synctest.Wait()
	all := w.Whispers(to)
	if len(all) == 0 {
		t.Fatalf("nothing was whispered\n%s", w.log)
	}
	return all[len(all)-1]
}

// texts returns each card of the messages as one line.
func texts(t *testing.T, all []fake.Message) string {
	t.Helper()
	var out []string
	for _, m := range all {
		if m.Loading {
			out = append(out, "...")
			continue
		}
		c, err := fake.ReadCard(m.Components)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.ReplaceAll(strings.TrimSpace(c.String()), "\n", " / "))
	}
	return strings.Join(out, "; ")
}

func (w *world) want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q\n%s", what, got, want, w.log)
	}
}

// ops returns the calls of the REST API so far, in order.
func (w *world) ops() string {
	var all []string
	for _, c := range w.Calls("") {
		switch c.Op {
		case "me", "application", "gateway":
		default:
			all = append(all, c.Op)
		}
	}
	return strings.Join(all, " ")
}

// journey answers a command with a card, and a press with a change of the card.
func journey(_ context.Context, e chat.Event) []chat.Reply {
	if e.Kind == chat.Command {
		return []chat.Reply{chat.Whisper{Card: card("before", "one", "two")}}
	}
	return []chat.Reply{chat.Update{Card: card("after "+e.Action.Verb, "one", "two")}}
}

func TestPressUpdatesCard(t *testing.T) {
	inBothModes(t, saying(chat.AckUpdate, journey), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		if a := w.Press(ben, m, "one", ""); !a.OK() || a.Type != 7 {
			t.Errorf("answered with %+v", a)
		}
		synctest.Wait()
		w.want(t, "Ben's whispers", texts(t, w.Whispers(ben)), "after one / [one] [two]")
		w.want(t, "the channel", texts(t, w.Messages(team)), "")
		for _, op := range []string{"original", "followup", "send", "edit", "delete"} {
			w.want(t, "calls of "+op, fmt.Sprint(len(w.Calls(op))), "0")
		}
		e := w.bot.Events[1]
		if e.Kind != chat.Press || e.Who != person(ben) || e.Private || e.Where != channel(team) || e.ID == "" {
			t.Errorf("the event was %+v", e)
		}
	})
}

func TestPressInDM(t *testing.T) {
	inBothModes(t, saying(chat.AckUpdate, journey), func(t *testing.T, w *world) {
		m := w.say(t, ben, card("before", "one"))
		w.Press(ben, m, "one", "")
		synctest.Wait()
		w.want(t, "the conversation", texts(t, w.Messages(fake.DM(ben))), "after one / [one] [two]")
		if e := w.bot.Events[0]; !e.Private {
			t.Errorf("the event was %+v", e)
		}
	})
}

func rawJSON(s string) json.RawMessage { return json.RawMessage(s) }

// after returns a handler that calls handle after a delay.
func after(d time.Duration, handle func(context.Context, chat.Event) []chat.Reply) func(context.Context, chat.Event) []chat.Reply {
	return func(ctx context.Context, e chat.Event) []chat.Reply {
		time.Sleep(d)
		return handle(ctx, e)
	}
}

// replying returns a handler that always returns the same replies.
func replying(replies ...chat.Reply) func(context.Context, chat.Event) []chat.Reply {
	return func(context.Context, chat.Event) []chat.Reply { return replies }
}

// slowly returns a handler that answers a command at once, and calls handle for other events after
// a delay.
func slowly(d time.Duration, handle func(context.Context, chat.Event) []chat.Reply) func(context.Context, chat.Event) []chat.Reply {
	return func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Command {
			return []chat.Reply{chat.Whisper{Card: card("before", "one", "two")}}
		}
		time.Sleep(d)
		return handle(ctx, e)
	}
}

// settled waits until nothing is being handled.
func (w *world) settled(t *testing.T) {
	t.Helper()
	time.Sleep(time.Minute) // of the bubble
	synctest.Wait()
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
