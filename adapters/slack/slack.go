// Package slack is the bot in Slack. Gestures come in by HTTP or by Socket Mode, are handled in order and once each, and are
// acknowledged within three seconds, not before they have been handled unless that takes too long; what the bot replies is
// drawn in Block Kit and sent at Slack's pace. It does not know what anybody asks for, nor any sentence: those come in cards.
package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"maturitybot/adapters/platform"
	"maturitybot/adapters/webhook"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// Options is what a Slack is made of.
type Options struct {
	Token         chat.Secret // of the bot user, xoxb-
	AppToken      chat.Secret // for Socket Mode, xapp-
	SigningSecret chat.Secret // for HTTP
	// APIURL is the Web API's address; empty is Slack's.
	APIURL string
	// Responder answers what people do. It is not called before New returns.
	Responder chat.Responder
	Log       *slog.Logger
	// Observer is told how it goes; nil is nobody.
	Observer chat.Observer
	// Dial makes the connections to Slack; nil dials the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Slack is the bot in one workspace.
type Slack struct {
	client     *client
	options    Options
	log        *slog.Logger
	team       string
	responder  chat.Responder
	dispatch   *dispatch.Dispatcher
	profiles   *profileCache
	homes      *homes
	replays    *replayFilter
	deliveries *webhook.Reader // by HTTP
	refusals   sparing
	bulk       *pacer // messages nobody asked for
	posts      *pacer // cards for everybody in a channel
	replies    *pacer // whatever else goes to a channel by itself
	running    *sync.WaitGroup

	sockets struct {
		sync.Mutex
		up int // sockets
	}

	mu        sync.Mutex
	submitted []*delivery // the last submissions, for when one comes again because its acknowledgement was lost
}

var (
	_ chat.Directory = (*Slack)(nil)
	_ chat.Sender    = (*Slack)(nil)
)

// New asks Slack who the token belongs to. Its errors say which value is wrong, and where in Slack's pages the right one is; where it is
// chat.ErrUnavailable, nothing is known to be wrong.
func New(ctx context.Context, o Options) (*Slack, error) {
	switch {
	case !IsBotToken(o.Token):
		return nil, errors.New("the Slack bot token is missing or of another kind: copy the Bot User OAuth Token from OAuth & Permissions at api.slack.com/apps; it begins with xoxb-")
	case o.AppToken != "" && !IsAppToken(o.AppToken):
		return nil, errors.New("the Slack app token is of another kind: create one with the scope connections:write under Basic Information, App-Level Tokens, at api.slack.com/apps; it begins with xapp-")
	case o.AppToken == "" && o.SigningSecret == "":
		return nil, errors.New("neither a Slack app token nor a signing secret: for Socket Mode create the one under Basic Information, App-Level Tokens, at api.slack.com/apps; for HTTP copy the other from App Credentials on the same page")
	case o.AppToken == "" && !IsSigningSecret(o.SigningSecret):
		return nil, errors.New("the Slack signing secret is none: it has 32 digits and letters from a to f; copy it from Basic Information, App Credentials, at api.slack.com/apps")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = chat.NopObserver{}
	}
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	var who *slackgo.AuthTestResponse
	err = c.call(ctx, "auth.test", true, func(ctx context.Context) (err error) {
		who, err = c.api.AuthTestContext(ctx)
		return err
	})
	switch code(err) {
	case "":
		if err != nil {
			return nil, fmt.Errorf("reach Slack: %w", markUnavailable(err))
		}
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type":
		return nil, fmt.Errorf("use the Slack bot token, which Slack refuses (install the app again, and copy the Bot User OAuth Token from OAuth & Permissions at api.slack.com/apps): %w", err)
	default:
		return nil, fmt.Errorf("ask Slack whose the bot token is: %w", markUnavailable(err))
	}
	s := &Slack{
		client: c, options: o, log: o.Log, team: who.TeamID, responder: o.Responder, replays: &replayFilter{},
		bulk: &pacer{all: rate.NewLimiter(bulkPerSecond, 1)}, posts: &pacer{}, replies: &pacer{burst: replyBurst}, running: &sync.WaitGroup{},
	}
	s.deliveries = webhook.NewReader(maxDeliveryBytes, checkHeaders, s.verify)
	s.profiles = &profileCache{client: c, team: s.team, running: s.running, known: map[string]*lookup{}, addresses: map[string]address{}}
	s.dispatch = dispatch.New(withProfiles{s}, o.Log)
	s.homes = newHomes(s.drawHome)
	return s, nil
}

// Drain takes nothing more, and returns when everything taken has been handled and sent, or the context ends.
func (s *Slack) Drain(ctx context.Context) error {
	s.homes.flush()
	err := cmp.Or(s.dispatch.Drain(ctx), dispatch.Wait(ctx, s.running))
	s.client.http.CloseIdleConnections()
	return err
}

// withProfiles is the responder of a Slack, told who people are. It runs within a person's order, so that waiting for a profile lets
// nothing later overtake.
type withProfiles struct{ slack *Slack }

// Ack says how to acknowledge the event.
func (i withProfiles) Ack(e chat.Event) chat.Ack { return i.slack.responder.Ack(e) }

// Handle fills in who somebody is, and does what the event asks for. Whoever is known to be none of the workspace's is a person of
// another place, even where one enterprise makes ids the same everywhere; likewise those who were picked in a form.
func (i withProfiles) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	s := i.slack
	patience := profileTimeout
	if e.Kind == chat.Press && s.responder.Ack(e) == chat.AckUpdate {
		// A press that changes its own card is the most frequent, and asks for nothing that an admin alone may do.
		patience = 0
	}
	if e.Unverified { // what is not known of them must not pass for membership
		patience = profileTimeout
	}
	p, err := s.profiles.get(ctx, e.Who.ID, patience)
	if err != nil && patience > 0 {
		s.log.Warn("profile unknown", "error", err)
	}
	e.Unverified = e.Unverified && err != nil
	e.Admin, e.Locale, e.TimeZone = p.admin && !p.outsider, p.locale, p.zone
	e.Direct = true
	if p.outsider {
		e.Who.Workspace = p.foreignWorkspace(s.team)
	}
	if e.Kind == chat.Submit {
		e.Values = s.picked(ctx, e.Values)
	}
	return s.responder.Handle(ctx, e)
}

// delivery is one gesture under way.
type delivery struct {
	inbound
	raw         []byte        // of a submission, to give back what was typed
	open        sync.Once     // the form: its trigger is good for one
	openFailed  bool          // Slack would not open it
	refusalSent bool          // the acknowledgement carried the refusal
	ack         chan struct{} // closed once the acknowledgement is out
	ticket      *dispatch.Ticket
	// original is the delivery of the same submission that came before, if this one comes again.
	original *delivery
}

// accept takes a gesture. Its replies wait until acknowledged is called.
func (s *Slack) accept(g inbound, raw []byte) (*delivery, error) {
	d := &delivery{inbound: g, raw: raw, ack: make(chan struct{})}
	card := ""
	switch {
	case g.event.Kind == chat.Home:
		card = "home"
		s.homes.markSeen(g.event)
	case g.origin.Card != "" && !g.shared():
		card = g.origin.Channel + "/" + g.origin.Card
	}
	s.mu.Lock() // so that a submission that comes twice finds the first
	defer s.mu.Unlock()
	if first := s.findResubmission(d); first != nil {
		d.event.ID = first.event.ID
	}
	turn, err := s.dispatch.Submit(d.event, card, func(ctx context.Context, replies []chat.Reply) { s.carryOut(ctx, d, replies) })
	if err != nil {
		return nil, fmt.Errorf("take a gesture: %w", err)
	}
	d.ticket = turn
	switch {
	case g.event.Kind != chat.Submit:
	case !turn.Duplicate:
		const kept = 64
		s.submitted = append(s.submitted[max(0, len(s.submitted)-kept+1):], d)
	default:
		for _, first := range s.submitted {
			if first.event.ID == d.event.ID {
				d.original = first
			}
		}
	}
	return d, nil
}

// findResubmission returns the earlier submission of the same form with the same values, or nil: Slack gives it a new trigger when somebody
// sends it again because the first acknowledgement came too late. One that was refused is free to be sent again. The caller
// holds the mutex.
func (s *Slack) findResubmission(d *delivery) *delivery {
	if d.event.Kind != chat.Submit {
		return nil
	}
	for _, first := range slices.Backward(s.submitted) {
		if first.view == d.view && first.event.Who == d.event.Who && !first.refused() && maps.EqualFunc(first.event.Values, d.event.Values, slices.Equal) {
			return first
		}
	}
	return nil
}

// refused says whether the bot has refused a submission.
func (d *delivery) refused() bool {
	select {
	case <-d.ticket.Handled:
	default:
		return false
	}
	return slices.ContainsFunc(d.ticket.Replies, func(r chat.Reply) bool {
		_, refuse := r.(chat.FieldErrors)
		return refuse
	})
}

// awaitHandled waits until a gesture has been handled, or for as long as its acknowledgement may wait, and returns what the
// acknowledgement says is wrong with a form, by field.
func (s *Slack) awaitHandled(ctx context.Context, d *delivery) map[string]string {
	timer := time.NewTimer(dispatch.AckTimeout)
	defer timer.Stop()
	select {
	case <-d.ticket.Handled:
	case <-timer.C:
		s.log.Warn("acknowledged before it was handled")
		return nil
	case <-ctx.Done(): // nobody hears the acknowledgement
		return nil
	}
	turn := d.ticket
	if turn.Duplicate {
		if d.original == nil {
			return nil
		}
		turn = d.original.ticket
	}
	for _, r := range turn.Replies {
		switch r := r.(type) {
		case chat.OpenForm:
			if !d.ticket.Duplicate {
				// Its trigger does not outlive three seconds, so it waits neither for the acknowledgement nor for earlier replies.
				go s.open(context.WithoutCancel(ctx), d, r.Form) // carryOut waits for it
			}
		case chat.FieldErrors:
			if faults := d.faults(r); len(faults) > 0 {
				d.refusalSent = true
				return faults
			}
		}
	}
	return nil
}

// acknowledged notes that the acknowledgement of what arrived at a time is out, or came to nothing, and lets the replies go out.
func (s *Slack) acknowledged(d *delivery, arrived time.Time) {
	s.options.Observer.Acknowledged(time.Since(arrived))
	close(d.ack)
}

// submission is what of a view_submission it takes to refuse it.
type submission struct {
	View struct {
		Blocks []struct {
			Type    string `json:"type"`
			BlockID string `json:"block_id"`
		} `json:"blocks"`
		State struct {
			Values map[string]map[string]struct {
				Value string `json:"value"` // of text alone: what was picked has other names
			} `json:"values"`
		} `json:"state"`
	} `json:"view"`
}

func (d *delivery) submission() submission {
	var s submission
	_ = json.Unmarshal(d.raw, &s) // it was decoded before; what is not there is not there
	return s
}

// faults is a refusal as Slack takes it: only inputs can be wrong, or Slack shows an error of its own. What is wrong with
// anything else stands at the first input.
func (d *delivery) faults(r chat.FieldErrors) map[string]string {
	var inputs []string
	for _, b := range d.submission().View.Blocks {
		if b.Type == "input" {
			inputs = append(inputs, b.BlockID)
		}
	}
	if len(inputs) == 0 {
		return nil
	}
	faults := map[string]string{}
	for _, field := range slices.Sorted(maps.Keys(r.Fields)) {
		at := field
		if !slices.Contains(inputs, field) {
			at = inputs[0]
		}
		faults[at] = strings.TrimSpace(faults[at] + " " + r.Fields[field])
	}
	return faults
}

// giveBack is a refusal as cards, for when the form is gone: what was wrong, and the text that was typed, so that
// nothing is lost.
func (d *delivery) giveBack(r chat.FieldErrors) []chat.Card {
	var texts []string
	for _, field := range slices.Sorted(maps.Keys(r.Fields)) {
		if text := r.Fields[field]; text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	sub := d.submission()
	for _, b := range sub.View.Blocks {
		for _, v := range sub.View.State.Values[b.BlockID] {
			if strings.TrimSpace(v.Value) != "" {
				texts = append(texts, v.Value)
			}
		}
	}
	var cards []chat.Card
	var card chat.Card
	size := 0
	for _, text := range texts {
		text = chat.Trim(text, chat.MaxText)
		n := utf8.RuneCountInString(text)
		if size+n > chat.MaxCardText && len(card.Blocks) > 0 {
			cards, card, size = append(cards, card), chat.Card{}, 0
		}
		card.Blocks, size = append(card.Blocks, chat.Paragraph(text)), size+n
	}
	if len(card.Blocks) > 0 {
		cards = append(cards, card)
	}
	return cards
}

// carryOut does what the bot replies to a gesture.
func (s *Slack) carryOut(ctx context.Context, d *delivery, replies []chat.Reply) {
	for _, r := range replies {
		if form, ok := r.(chat.OpenForm); ok {
			s.open(ctx, d, form.Form)
		}
	}
	<-d.ack
	defer func() {
		if d.event.Kind != chat.Home {
			s.homes.markStale(d.event.Who)
		}
	}()
	for len(replies) > 0 {
		var err error
		rest := replies[1:]
		switch r := replies[0].(type) {
		case chat.Update:
			err = s.update(ctx, d.inbound, r.Card)
			if d.changeable() {
				err = errors.Join(err, dispatch.Redraw(ctx, r, func(ctx context.Context, c chat.Card) error {
					return s.update(ctx, d.inbound, c)
				}))
			}
		case chat.Whisper:
			err = s.whisperWithFiles(ctx, d.inbound, r)
			rest = r.Then.Next(chat.DeliveredAfter(err), rest)
		case chat.Direct:
			rest = r.Then.Next(s.directWithLink(ctx, d.event.Who, r.Card), rest) // which tells why it does not stand
		case chat.Post:
			err = cannotPost(s.post(ctx, d.inbound, r.To.Channel, r.Card, r.Files))
			rest = r.Then.Next(chat.DeliveredAfter(err), rest)
		case chat.FieldErrors:
			if !d.refusalSent {
				for _, card := range d.giveBack(r) {
					err = errors.Join(err, s.direct(ctx, d.event.Who, card))
				}
			}
		case chat.OpenForm:
			if d.openFailed {
				err = s.whisper(ctx, d.inbound, r.Fallback)
			}
		default:
			err = fmt.Errorf("unknown reply %T", r)
		}
		if err != nil {
			s.log.Error("reply not delivered", "reply", fmt.Sprintf("%T", replies[0]), "error", err)
		}
		replies = rest
	}
}

// whisperWithFiles whispers a card. With files it goes to the person's own conversation: a message that one person sees in a channel holds none.
func (s *Slack) whisperWithFiles(ctx context.Context, g inbound, w chat.Whisper) error {
	if len(w.Files) == 0 {
		return s.whisper(ctx, g, w.Card)
	}
	return s.post(ctx, inbound{}, g.event.Who.ID, w.Card, w.Files)
}

// open opens a form, once a gesture. A second call waits for the first.
func (s *Slack) open(ctx context.Context, d *delivery, f chat.Form) {
	d.open.Do(func() {
		defer dispatch.RecoverAndLog(s.log, "opening a form")
		view, err := modal(f, d.origin)
		if err == nil {
			err = s.client.call(ctx, "views.open", false, func(ctx context.Context) error {
				_, err := s.client.api.OpenViewContext(ctx, d.trigger, view)
				return err
			})
		}
		if err != nil {
			d.openFailed = true
			s.log.Error("form not opened", "error", err) // expired_trigger_id: it came too late
		}
	})
}

// update changes the card that was pressed, unless everybody in a channel sees it: what comes is the presser's alone.
func (s *Slack) update(ctx context.Context, g inbound, card chat.Card) error {
	switch {
	case g.event.Kind == chat.Home:
		return s.publish(ctx, g.event.Who.ID, card)
	case !g.changeable():
		return s.whisper(ctx, g, card)
	}
	text, drawn, err := draw(card)
	if err != nil {
		return err
	}
	if g.origin.URL != "" {
		err = s.client.respond(ctx, g.origin, response{Replace: true, Text: text, Blocks: drawn})
		if err == nil {
			return nil
		}
		s.log.Info("response url of no use", "error", err)
	}
	if !g.origin.Whispered {
		if err := s.replies.wait(ctx, g.origin.Channel); err != nil {
			return fmt.Errorf("wait to change a card: %w", err)
		}
		err = s.client.callIn(ctx, "chat.update", g.origin.Channel, true, func(ctx context.Context) error {
			_, _, _, err := s.client.api.UpdateMessageContext(ctx, g.origin.Channel, g.origin.Card, messageOptions(text, drawn))
			return err
		})
		if judge(err).Verdict != platform.Refused {
			return err
		}
		s.log.Info("card cannot be changed", "error", err) // deleted, say, or past the workspace's time for edits
	}
	g.origin.URL = ""
	return s.whisper(ctx, g, card)
}

// whisper shows a card to the person of a gesture alone.
func (s *Slack) whisper(ctx context.Context, g inbound, card chat.Card) error {
	if g.home || g.event.Kind == chat.Home || g.origin.Channel == "" {
		return s.direct(ctx, g.event.Who, card)
	}
	if g.origin.Private {
		// A conversation of two people looks like one with the bot, until Slack says that the bot is not in it.
		if _, err := s.say(ctx, g.origin.Channel, card); !isNotMember(err) {
			return err
		}
	}
	text, drawn, err := draw(card)
	if err != nil {
		return err
	}
	if g.origin.URL != "" {
		err = s.client.respond(ctx, g.origin, response{Type: "ephemeral", Text: text, Blocks: drawn})
		if err == nil || errors.Is(err, chat.ErrUnsure) {
			return err
		}
	}
	if g.origin.Private {
		return s.direct(ctx, g.event.Who, card)
	}
	if err := s.replies.wait(ctx, g.origin.Channel); err != nil {
		return fmt.Errorf("wait to whisper: %w", err)
	}
	err = s.client.callIn(ctx, "chat.postEphemeral", g.origin.Channel, false, func(ctx context.Context) error {
		_, err := s.client.api.PostEphemeralContext(ctx, g.origin.Channel, g.event.Who.ID, messageOptions(text, drawn))
		return err
	})
	if err == nil || errors.Is(err, chat.ErrUnsure) {
		return err
	}
	return s.direct(ctx, g.event.Who, card)
}

// isNotMember says whether an error means that the bot is not in a conversation.
func isNotMember(err error) bool {
	return code(err) == "not_in_channel" || code(err) == "channel_not_found"
}

// direct sends a card to a person's own conversation with the bot.
func (s *Slack) direct(ctx context.Context, to chat.Person, card chat.Card) error {
	_, err := s.say(ctx, to.ID, card)
	return err
}

// directWithLink sends a card to a person's own conversation with the bot, and tells where it stands. Slack's
// clients follow a permalink themselves, on phones too; without one the card stands all the same.
func (s *Slack) directWithLink(ctx context.Context, to chat.Person, card chat.Card) chat.Delivered {
	at, err := s.postMessage(ctx, to.ID, card)
	if err != nil {
		return chat.Delivered{Err: err}
	}
	var came chat.Delivered
	err = s.client.call(ctx, "chat.getPermalink", true, func(ctx context.Context) (err error) {
		came.URL, err = s.client.api.GetPermalinkContext(ctx, &at)
		return err
	})
	if err != nil {
		s.log.Warn("no link to a card", "error", err)
	}
	return came
}

// say sends a card to a channel, or to the person of a user id, at the pace of replies, and returns the channel it went to.
func (s *Slack) say(ctx context.Context, to string, card chat.Card) (channel string, err error) {
	at, err := s.postMessage(ctx, to, card)
	return at.Channel, err
}

// postMessage is say, and returns the message's time stamp as well.
func (s *Slack) postMessage(ctx context.Context, to string, card chat.Card) (at slackgo.PermalinkParameters, err error) {
	text, drawn, err := draw(card)
	if err != nil {
		return at, err
	}
	if err := s.replies.wait(ctx, to); err != nil {
		return at, fmt.Errorf("wait to send a card: %w", err)
	}
	err = s.client.callIn(ctx, "chat.postMessage", to, false, func(ctx context.Context) (err error) {
		at.Channel, at.Ts, err = s.client.api.PostMessageContext(ctx, to, messageOptions(text, drawn))
		return err
	})
	return at, err
}

// draw makes a message of a card: the text that is read aloud, and the blocks.
func draw(card chat.Card) (string, []slackgo.Block, error) {
	drawn, err := blocks(card, chat.MaxBlocks)
	return speech(card), drawn, err
}

func messageOptions(text string, drawn []slackgo.Block) slackgo.MsgOption {
	return slackgo.MsgOptionCompose(
		slackgo.MsgOptionText(text, false), slackgo.MsgOptionBlocks(drawn...), slackgo.MsgOptionDisableMarkdown(),
		slackgo.MsgOptionDisableLinkUnfurl(), slackgo.MsgOptionDisableMediaUnfurl(), slackgo.MsgOptionParse(false), slackgo.MsgOptionLinkNames(false),
	)
}

// post shows a card, and files, to everybody in a channel, or to the person of a user id. The files are with Slack before the card
// appears, so that they follow it at once. It returns a *chat.MissingFilesError where the card stands without some of them; any other
// error says that there is no card, or that this is not known.
func (s *Slack) post(ctx context.Context, g inbound, to string, card chat.Card, files []chat.File) error {
	if err := s.posts.wait(ctx, to); err != nil {
		return fmt.Errorf("wait to post: %w", err)
	}
	var uploaded []slackgo.FileSummary
	missing := &chat.MissingFilesError{}
	for _, f := range files {
		id, err := s.upload(ctx, f)
		if err != nil {
			missing.Names, missing.Err = append(missing.Names, f.Name), err
			continue
		}
		uploaded = append(uploaded, slackgo.FileSummary{ID: id, Title: f.Name})
	}
	channel, err := s.say(ctx, to, card)
	if isNotMember(err) {
		// A response URL speaks where the bot is no member, but cannot carry files.
		if g.origin.URL == "" || g.origin.Private || g.origin.Channel != to || len(files) > 0 {
			return err
		}
		text, drawn, err := draw(card)
		if err != nil {
			return err
		}
		return s.client.respond(ctx, g.origin, response{Type: "in_channel", Text: text, Blocks: drawn})
	}
	if err != nil {
		return err
	}
	if len(uploaded) == 0 {
		return missingOrNil(missing)
	}
	// The card stands: what becomes of its files changes nothing about that, and they belong to it even if the program is to end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxRetryAfter)
	defer cancel()
	err = s.client.call(ctx, "files.completeUploadExternal", false, func(ctx context.Context) error {
		_, err := s.client.api.CompleteUploadExternalContext(ctx, slackgo.CompleteUploadExternalParameters{Files: uploaded, Channel: channel})
		return err
	})
	if err != nil {
		missing.Err = err
		for _, f := range uploaded {
			missing.Names = append(missing.Names, f.Title)
		}
	}
	return missingOrNil(missing)
}

// missingOrNil is nil where no file is missing.
func missingOrNil(missing *chat.MissingFilesError) error {
	if len(missing.Names) == 0 {
		return nil
	}
	return missing
}

// upload brings a file to Slack, where nobody sees it yet.
func (s *Slack) upload(ctx context.Context, f chat.File) (id string, err error) {
	var place *slackgo.GetUploadURLExternalResponse
	err = s.client.call(ctx, "files.getUploadURLExternal", true, func(ctx context.Context) (err error) {
		place, err = s.client.api.GetUploadURLExternalContext(ctx, slackgo.GetUploadURLExternalParameters{FileName: f.Name, FileSize: len(f.Data), AltTxt: f.Alt})
		return err
	})
	if err != nil {
		return "", err
	}
	return place.FileID, s.client.upload(ctx, place.UploadURL, f.Data)
}

// publish fills somebody's App Home.
func (s *Slack) publish(ctx context.Context, user string, card chat.Card) error {
	view, err := homeView(card)
	if err != nil {
		return err
	}
	return s.client.call(ctx, "views.publish", true, func(ctx context.Context) error {
		_, err := s.client.api.PublishViewContext(ctx, slackgo.PublishViewContextRequest{UserID: user, View: view})
		return err
	})
}

// drawHome takes a look at App Home on behalf of somebody whose page may have changed.
func (s *Slack) drawHome(e chat.Event) error {
	e.ID, e.At = "", time.Time{}
	d := &delivery{inbound: inbound{event: e, home: true}, ack: make(chan struct{})}
	close(d.ack) // there is nothing to acknowledge
	_, err := s.dispatch.Submit(e, "home", func(ctx context.Context, replies []chat.Reply) { s.carryOut(ctx, d, replies) })
	return err
}

// Send sends a card to a person's own conversation with the bot, at the pace of messages that nobody asked for. Slack has
// no name for a message by which it would know it again, so the id is of no use here. The end of the context ends the wait, and
// no message half-way.
func (s *Slack) Send(ctx context.Context, _ string, to chat.Person, card chat.Card) error {
	if err := s.bulk.wait(ctx, to.ID); err != nil {
		return fmt.Errorf("wait to send: %w", err)
	}
	return s.classify(s.direct(ctx, to, card))
}

// classify tells what is of no use to try again from what may be, of something that was sent unasked.
func (s *Slack) classify(err error) error {
	switch code(err) {
	case "":
	case "user_disabled", "user_not_found", "users_not_found", "user_not_visible", "cannot_dm_bot":
		return fmt.Errorf("send a message: %w: %w", chat.ErrUnreachable, err)
	case "messages_tab_disabled":
		s.log.Error("nobody can be written to: switch on the Messages Tab under App Home at api.slack.com/apps", "error", err)
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope", "no_permission":
		s.log.Error("slack does not let the bot write: install the app again at api.slack.com/apps, and check the bot token and its scopes", "error", err)
	}
	if err != nil {
		return fmt.Errorf("send a message: %w", cannotPost(err))
	}
	return nil
}

// cannotPost marks an error that says that the bot cannot post in a channel, and why.
func cannotPost(err error) error {
	if _, stands := errors.AsType[*chat.MissingFilesError](err); stands {
		return err
	}
	switch code(err) {
	case "channel_not_found", "not_in_channel": // of a private channel that it is not in, Slack does not say that it exists
		return &chat.CannotPostError{Reason: chat.NotMember, Err: err}
	case "is_archived":
		return &chat.CannotPostError{Reason: chat.Archived, Err: err}
	case "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "posting_to_channel_denied":
		return &chat.CannotPostError{Reason: chat.Restricted, Err: err}
	}
	return err
}

// Post shows a card, with files, in a place, at the pace of a channel.
func (s *Slack) Post(ctx context.Context, _ string, to chat.Place, card chat.Card, files []chat.File) error {
	err := s.post(ctx, inbound{}, to.Channel, card, files)
	if _, stands := errors.AsType[*chat.MissingFilesError](err); stands {
		return err
	}
	return s.classify(err)
}

const (
	// homeRedrawInterval is the least time between two drawings of one person's App Home after what they do elsewhere.
	homeRedrawInterval = 2 * time.Second
	// maxHomes bounds who is remembered to have looked.
	maxHomes = 10_000
)

// homes remembers who has looked at App Home, and draws it again after what they do.
type homes struct {
	draw func(chat.Event) error

	mu    sync.Mutex
	pages map[chat.Person]*home
}

// home is one person's page.
type home struct {
	event chat.Event
	drawn time.Time
	timer *time.Timer // of the next drawing, or nil
}

func newHomes(draw func(chat.Event) error) *homes {
	return &homes{draw: draw, pages: map[chat.Person]*home{}}
}

// markSeen remembers that somebody looks at App Home.
func (h *homes) markSeen(e chat.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.pages[e.Who]; known != nil {
		known.event, known.drawn = e, time.Now()
		return
	}
	if len(h.pages) >= maxHomes {
		for other, page := range h.pages {
			if page.timer == nil {
				delete(h.pages, other)
				break
			}
		}
	}
	h.pages[e.Who] = &home{event: e, drawn: time.Now()}
}

// markStale says that somebody's App Home may show what was.
func (h *homes) markStale(who chat.Person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if page := h.pages[who]; page != nil && page.timer == nil {
		page.timer = time.AfterFunc(time.Until(page.drawn.Add(homeRedrawInterval)), func() { h.redraw(page) })
	}
}

func (h *homes) redraw(page *home) {
	h.mu.Lock()
	page.timer, page.drawn = nil, time.Now()
	event := page.event
	h.mu.Unlock()
	if h.draw(event) != nil {
		h.markStale(event.Who) // too much is waiting: once more, later
	}
}

// flush draws at once what waits to be drawn, and nothing from then on.
func (h *homes) flush() {
	h.mu.Lock()
	pages := h.pages
	h.pages = map[chat.Person]*home{}
	var waiting []*home
	for _, page := range pages {
		if page.timer != nil && page.timer.Stop() {
			waiting = append(waiting, page)
		}
	}
	h.mu.Unlock()
	for _, page := range waiting {
		h.redraw(page)
	}
}
