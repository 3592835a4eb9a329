package discord

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"
	"golang.org/x/time/rate"

	"maturitybot/adapters/webhook"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// Options is what a Discord is made of.
type Options struct {
	Token chat.Secret // of the bot
	// PublicKey of the application, in hex, proves that a delivery by HTTP is Discord's. It is not needed for the gateway.
	PublicKey string
	// ApplicationID is the application that the token must belong to, or empty.
	ApplicationID string
	// Guilds are the servers to register the commands in, and alone to do anything in; none means every server.
	Guilds []string
	// APIURL is the address of the REST API with its version; empty is Discord's.
	APIURL string
	// Responder answers what people do. It is not called before New returns.
	Responder chat.Responder
	// Claims keeps several processes on one gateway from answering the same thing; nil says that there is one process.
	Claims Claims
	// Agreed says whether somebody has begun a survey, or asked for messages; nobody else is sent any unasked, since Discord shuts bots
	// out for that. Nil says that everybody has.
	ConsentsToDM func(ctx context.Context, p chat.Person) (bool, error)
	// ColdEvery keeps messages that nobody asked for just now apart; zero is three seconds.
	ColdEvery time.Duration
	// Suggest completes a field of a command while somebody types it: the event's Values hold the beginning. Nil suggests nothing.
	Suggest func(ctx context.Context, e chat.Event, field string) []chat.Option
	Log     *slog.Logger
	// Observer is told how it goes; nil is nobody.
	Observer chat.Observer
	// Dial makes the connections to Discord; nil dials the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Claims tells whether another process has an event already.
type Claims interface {
	// Claim says whether this is the first claim of the event within minutes, by whichever process.
	Claim(ctx context.Context, event string) (bool, error)
	// Finish notes that what was claimed has ended: a connection that resumes may bring it again when the claim is over.
	Finish(ctx context.Context, event string) error
}

// Discord is the bot in Discord.
type Discord struct {
	client     *client
	options    Options
	log        *slog.Logger
	app        string // the application's id
	botUser    string // the bot's own id as a user
	endpoint   bool   // Discord delivers by HTTP
	key        ed25519.PublicKey
	responder  chat.Responder
	dispatch   *dispatch.Dispatcher
	dmLimiter  *rate.Limiter   // messages to people that nobody asked for just now
	deliveries *webhook.Reader // by HTTP
	complaints *rate.Limiter   // about deliveries that Discord did not sign
	running    sync.WaitGroup  // interactions that the gateway brought

	mu          sync.Mutex
	rightsCache map[string]cachedRights // the bot's permissions by channel, as the last gestures told them
	byCard      map[string]*exchange    // the last under way, by the card it would change
	byEvent     map[string]*exchange    // those that another process may have claimed, by event
}

var (
	_ chat.Directory = (*Discord)(nil)
	_ chat.Sender    = (*Discord)(nil)
)

// portal is where an application's values stand.
const portal = "discord.com/developers/applications"

// New asks Discord who the token belongs to. Its errors say which value is wrong, and where in the Developer Portal the right one is; where it
// is chat.ErrUnavailable, nothing is known to be wrong.
func New(ctx context.Context, o Options) (*Discord, error) {
	o.Token = trimToken(o.Token)
	if o.Token == "" {
		return nil, errors.New("the Discord bot token is missing: press Reset Token on the application's page Bot at " + portal)
	}
	if !IsToken(o.Token) {
		return nil, errors.New("the Discord bot token has a space or another character that no token has: copy it again from the page Bot at " + portal)
	}
	var key ed25519.PublicKey
	if o.PublicKey = strings.TrimSpace(o.PublicKey); o.PublicKey != "" {
		var ok bool
		if key, ok = publicKey(o.PublicKey); !ok {
			return nil, errors.New("the Discord public key is none: it has 64 digits and letters from a to f, on the application's page General Information at " + portal)
		}
	}
	for _, g := range o.Guilds {
		if !IsServerID(g) {
			return nil, fmt.Errorf("%q is no id of a Discord server: switch on Developer Mode in Discord's own settings, then right-click the server and copy its id", g)
		}
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
	var app struct {
		ID       string `json:"id"`
		Key      string `json:"verify_key"`
		Endpoint string `json:"interactions_endpoint_url"`
	}
	var me user
	err = c.do(ctx, request{what: "ask whose the bot token is", method: http.MethodGet, path: "users/@me", bucket: "users/@me", again: true}, &me)
	if err == nil {
		err = c.do(ctx, request{what: "ask for the application", method: http.MethodGet, path: "applications/@me", bucket: "applications/@me", again: true}, &app)
	}
	if r, ok := errors.AsType[*apiError](err); ok && r.status == http.StatusUnauthorized {
		return nil, fmt.Errorf("use the Discord bot token, which Discord refuses (press Reset Token on the application's page Bot at %s, and use the new one; not the client secret, nor the public key): %w", portal, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reach Discord: %w", markUnavailable(err))
	}
	if _, ok := snowflake(app.ID); !ok {
		return nil, errors.New("reach Discord: what answers at the address of the API is not Discord")
	}
	if want := strings.TrimSpace(o.ApplicationID); want != "" && want != app.ID {
		return nil, fmt.Errorf("the Discord bot token belongs to application %s, not to %s: copy the Application ID and the token from the same application at %s", app.ID, want, portal)
	}
	if key != nil && app.Key != "" && !strings.EqualFold(app.Key, o.PublicKey) {
		return nil, fmt.Errorf("the Discord public key is not that of application %s, which the bot token belongs to: copy it from the page General Information at %s", app.ID, portal)
	}
	if key != nil && app.Endpoint == "" {
		o.Log.Warn("discord does not deliver by HTTP yet: once the bot serves, set its address as Interactions Endpoint URL on the page General Information at " + portal)
	}
	d := &Discord{
		client: c, options: o, log: o.Log, app: app.ID, botUser: me.ID, rightsCache: map[string]cachedRights{}, endpoint: app.Endpoint != "", key: key, responder: o.Responder,
		dmLimiter: rate.NewLimiter(rate.Every(cmp.Or(o.ColdEvery, defaultDMInterval)), 1), complaints: rate.NewLimiter(1, 5), byCard: map[string]*exchange{}, byEvent: map[string]*exchange{},
	}
	d.deliveries = webhook.NewReader(maxPayload, d.checkHeaders, d.verify)
	d.dispatch = dispatch.New(withClaims{d}, o.Log)
	return d, nil
}

// Drain takes nothing more, and returns when everything taken has been handled and sent, or the context ends.
func (d *Discord) Drain(ctx context.Context) error {
	err := cmp.Or(d.dispatch.Drain(ctx), dispatch.Wait(ctx, &d.running))
	d.client.http.CloseIdleConnections()
	return err
}

// Register tells Discord the commands, unless it has them as they are. Where servers are listed, commands for
// every server are taken back, and so are those of servers that are no longer listed: people would see each one twice, or one that
// nobody answers. It returns chat.ErrUnavailable where the same may work later.
func (d *Discord) Register(ctx context.Context) error {
	if err := d.registerAll(ctx); err != nil {
		return markUnavailable(err)
	}
	d.removeLeftovers(ctx)
	return nil
}

// registerAll registers them where they are wanted.
func (d *Discord) registerAll(ctx context.Context) error {
	for _, o := range d.registrations() {
		if err := d.registerOne(ctx, o); err != nil {
			return d.explainRegistration(o, err)
		}
	}
	return nil
}

// tidied is in how many servers it is looked for commands that are left over, tidying for how long: a start waits for it.
const (
	maxTidiedGuilds = 100
	tidyTimeout     = 20 * time.Second
)

// removeLeftovers takes back the commands in servers that are not listed. What fails is tried again at the next start.
func (d *Discord) removeLeftovers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tidyTimeout)
	defer cancel()
	var in []struct {
		ID string `json:"id"`
	}
	err := d.client.do(ctx, request{
		what: "list the servers", method: http.MethodGet, path: fmt.Sprintf("users/@me/guilds?limit=%d", maxTidiedGuilds), bucket: "users/@me/guilds", again: true,
	}, &in)
	for _, g := range in {
		if _, ok := snowflake(g.ID); !ok || slices.Contains(d.options.Guilds, g.ID) {
			continue
		}
		err = d.registerOne(ctx, d.registrationFor(g.ID, nil))
		if code(err) == discordgo.ErrCodeMissingAccess { // it may have none there
			err = nil
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		d.log.Warn("commands may be left over in servers that are not listed", "error", err)
	}
}

// allowsGuild says whether the bot does anything in a server, or in a conversation, which is in none.
func (d *Discord) allowsGuild(guild string) bool {
	return guild == "" || len(d.options.Guilds) == 0 || slices.Contains(d.options.Guilds, guild)
}

// registerOne registers the commands of an offer, unless they are there as they are wanted.
func (d *Discord) registerOne(ctx context.Context, o registration) error {
	there, err := d.isRegistered(ctx, o)
	if err != nil || there {
		return err
	}
	if err := d.client.do(ctx, request{what: "register the commands", method: http.MethodPut, path: o.path, bucket: o.path, body: o.commands, again: true}, nil); err != nil {
		return err
	}
	d.log.Info("commands registered", "commands", len(o.commands), "everywhere", o.guild == "")
	return nil
}

// exchange is one gesture under way, and how far it is answered.
type exchange struct {
	inbound
	raw     []byte // of a submission, to give back what was typed
	ack     chat.Ack
	ticket  *dispatch.Ticket
	arrived time.Time // when it arrived
	// previous is what was under way on the same card when this arrived, or nil.
	previous *exchange
	done     chan struct{} // closed once every reply is out
	// claimDone is closed once it is known whether this process answers; nil where there is one process.
	claimDone        chan struct{}
	claimedElsewhere bool // another process has claimed it

	// What follows is settled when answered is closed.
	answered          chan struct{} // the first answer is out, or came to nothing
	carriesReply      bool          // the first answer carried some of the replies
	carriedReply      chat.Reply    // that one
	remaining         []chat.Reply  // the others
	editsCard         bool          // the token changes the card that was pressed
	deferred          bool          // Discord shows that something will come
	deferredPublic    bool          // and shows it to everybody
	tokenDead         bool          // the token is of no use, or there is none: a message in words
	answeredElsewhere bool          // another process answers
}

// formTimeout is how long a form may be waited for: nothing can put it off, and after three seconds nobody hears.
const formTimeout = 2600 * time.Millisecond

// accept takes a gesture that arrived at a time. Its replies wait until it is answered. Shared says that other processes get it too.
func (d *Discord) accept(g inbound, raw []byte, at time.Time, shared bool) (*exchange, error) {
	x := &exchange{inbound: g, raw: raw, ack: d.responder.Ack(g.event), arrived: at, answered: make(chan struct{}), done: make(chan struct{})}
	if !d.allowsGuild(g.event.Where.Workspace) {
		x.ack = chat.AckWhisper // nobody else is to see that something loads
	}
	name := ""
	if x.changeable() {
		name = g.origin.Channel + "/" + g.origin.Message
	}
	d.remember(g)
	d.mu.Lock()
	defer d.mu.Unlock()
	turn, err := d.dispatch.Submit(g.event, name, func(ctx context.Context, replies []chat.Reply) {
		defer d.finishClaim(x)
		defer d.forget(x, name)
		d.carryOut(ctx, x, replies)
	})
	if err != nil {
		return nil, fmt.Errorf("take a gesture: %w", err)
	}
	x.ticket = turn
	if turn.Duplicate {
		return x, nil
	}
	if shared && d.options.Claims != nil {
		x.claimDone = make(chan struct{})
		d.byEvent[g.event.ID] = x
	}
	if name != "" {
		x.previous, d.byCard[name] = d.byCard[name], x
	}
	return x, nil
}

// forget forgets an exchange whose replies are out.
func (d *Discord) forget(x *exchange, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(x.done)
	x.previous = nil
	if d.byCard[name] == x {
		delete(d.byCard, name)
	}
	if d.byEvent[x.event.ID] == x {
		delete(d.byEvent, x.event.ID)
	}
}

// finishClaim notes for other processes that this one has done what an exchange asked for.
func (d *Discord) finishClaim(x *exchange) {
	if x.claimDone == nil {
		return
	}
	select {
	case <-x.answered:
	default: // it was given up
		return
	}
	if x.answeredElsewhere {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), claimTimeout)
	defer cancel()
	if err := d.options.Claims.Finish(ctx, claimName(x.event.ID)); err != nil {
		d.log.Warn("claim not finished", "error", err)
	}
}

// changeable says whether an update may change the card that was pressed. What everybody sees is not one person's to change:
// it is a button to join, say, and what comes is for that person alone.
func (x *exchange) changeable() bool {
	return x.origin.Message != "" && (x.origin.Whispered || x.event.Private)
}

// hasEarlierUnanswered says whether an earlier gesture on the same card is not yet answered. If this one were answered at once, the earlier
// picture would be drawn over the later.
func (x *exchange) hasEarlierUnanswered() bool {
	if x.previous == nil {
		return false
	}
	select {
	case <-x.previous.done:
		return false
	default:
		return true
	}
}

// awaitResponse waits until a gesture has been handled, or for as long as Discord waits, and returns the first answer.
func (d *Discord) awaitResponse(ctx context.Context, x *exchange) response {
	patience := dispatch.AckTimeout
	if x.ack == chat.AckForm {
		patience = formTimeout
	}
	timer := time.NewTimer(patience - time.Since(x.arrived))
	defer timer.Stop()
	select {
	case <-x.ticket.Handled:
	case <-timer.C:
		d.log.Warn("answered before it was handled")
		return x.deferral()
	case <-ctx.Done(): // nobody hears the answer
		return x.deferral()
	}
	d.mu.Lock()
	behind := x.hasEarlierUnanswered()
	d.mu.Unlock()
	if behind && x.ack == chat.AckUpdate {
		return x.deferral()
	}
	r, err := d.firstResponse(x)
	if err != nil {
		d.log.Error("reply not drawn", "error", err)
		return x.deferral()
	}
	return r
}

// deferral is the first answer when the replies are not known, or cannot be it.
func (x *exchange) deferral() response {
	x.carriesReply, x.remaining = false, nil
	switch {
	case x.ack == chat.AckUpdate && x.changeable():
		x.editsCard = true
		return deferredUpdate
	case x.event.Private: // in their own conversation a message stays, and is theirs alone
		x.deferred, x.deferredPublic = true, true
		return deferredPost
	}
	x.deferred = true
	return deferredWhisper
}

// firstResponse is the first answer when the replies are known. It carries one of them: the change of the card that was pressed,
// which only it can be sure to make, or else the first of all.
func (d *Discord) firstResponse(x *exchange) (out response, err error) {
	err = errors.New("a panic") // unless what follows returns
	defer dispatch.RecoverAndLog(d.log, "drawing a reply")
	replies := x.ticket.Replies
	if len(replies) == 0 {
		if x.origin.Message != "" {
			x.carriesReply, x.remaining, x.editsCard = true, nil, true
			return deferredUpdate, nil
		}
		return x.deferral(), nil
	}
	at := 0
	if x.changeable() {
		for i, r := range replies {
			_, update := r.(chat.Update)
			_, post := r.(chat.Post)
			_, form := r.(chat.OpenForm)
			if update {
				at = i
			}
			if update || post || form { // a post that fails takes back what comes after it
				break
			}
		}
	}
	rest := slices.Delete(slices.Clone(replies), at, at+1)
	switch r := replies[at].(type) {
	case chat.OpenForm:
		if x.event.Kind == chat.Submit {
			return response{}, errors.New("a form cannot answer a form")
		}
		form, err := modal(r.Form)
		if err != nil {
			return response{}, err
		}
		out = modalResponse(form)
	case chat.Update:
		if !x.changeable() {
			m, err := x.draw(r.Card)
			if err != nil {
				return response{}, err
			}
			out = messageResponse(m)
			break
		}
		m, err := message(r.Card, false, nil)
		if err != nil {
			return response{}, err
		}
		x.editsCard, out = true, updateResponse(m)
	case chat.Whisper:
		if len(r.Files) > 0 || r.Then != nil {
			return x.deferral(), nil
		}
		m, err := x.draw(r.Card)
		if err != nil {
			return response{}, err
		}
		out = messageResponse(m)
	case chat.FieldErrors:
		cards := x.giveBack(r)
		if len(cards) == 0 {
			return x.deferral(), nil
		}
		m, err := x.draw(cards[0])
		if err != nil {
			return response{}, err
		}
		out = messageResponse(m)
		for i, c := range cards[1:] {
			rest = slices.Insert(rest, i, chat.Reply(chat.Whisper{Card: c}))
		}
	default: // a post: it must be there before anybody is told so
		return x.deferral(), nil
	}
	x.carriesReply, x.carriedReply, x.remaining = true, replies[at], rest
	return out, nil
}

// draw draws a card for the person of a gesture alone.
func (x *exchange) draw(c chat.Card) (messageBody, error) { return message(c, !x.event.Private, nil) }

// giveBack is a refusal as cards, with the text that was typed: Discord has closed the form by then, and nothing of it is to be lost.
func (x *exchange) giveBack(r chat.FieldErrors) []chat.Card {
	blocks := refusal(r).Blocks
	for _, text := range typed(x.raw) {
		blocks = append(blocks, chat.Paragraph(text))
	}
	var cards []chat.Card
	var card chat.Card
	for _, b := range blocks {
		longer := chat.Card{Blocks: append(slices.Clone(card.Blocks), b)}
		if _, err := message(longer, false, nil); err != nil && len(card.Blocks) > 0 {
			cards, longer = append(cards, card), chat.Card{Blocks: []chat.Block{b}}
		}
		card = longer
	}
	if len(card.Blocks) > 0 {
		cards = append(cards, card)
	}
	return cards
}

// typed are the texts that somebody wrote into a form, in pieces that fit a message each.
func typed(raw []byte) []string {
	var in interaction
	var data interactionData
	if json.Unmarshal(raw, &in) != nil || json.Unmarshal(in.Data, &data) != nil {
		return nil // it was decoded before; a message in words has none
	}
	var out []string
	var walk func([]submitted)
	walk = func(all []submitted) {
		for _, c := range all {
			walk(c.Components)
			if c.Component != nil {
				walk([]submitted{*c.Component})
			}
			var text string
			if c.Type != typeInput || json.Unmarshal(c.Value, &text) != nil || strings.TrimSpace(text) == "" {
				continue
			}
			for part := range slices.Chunk([]rune(text), chat.MaxText) {
				out = append(out, string(part))
			}
		}
	}
	walk(data.Components)
	return out
}

// answered says how the first answer fared, and lets the replies go out.
func (d *Discord) answered(x *exchange, err error) {
	d.options.Observer.Acknowledged(time.Since(x.arrived))
	switch {
	case err == nil:
	case code(err) == discordgo.ErrCodeInteractionHasAlreadyBeenAcknowledged:
		d.log.Info("answered by another", "error", err)
		x.answeredElsewhere = true
	case errors.Is(err, chat.ErrUnsure):
		d.log.Warn("not known whether it was answered", "error", err)
		if again, ok := x.carriedReply.(chat.Update); ok && x.carriesReply { // which may be made twice
			x.remaining = slices.Insert(x.remaining, 0, chat.Reply(again))
		}
	default:
		d.log.Warn("not answered in time", "error", err)
		x.carriesReply, x.remaining, x.editsCard, x.deferred, x.tokenDead = false, nil, false, false, true
	}
	close(x.answered)
}

// carryOut does what the bot replies to a gesture, after the first answer.
func (d *Discord) carryOut(ctx context.Context, x *exchange, replies []chat.Reply) {
	select {
	case <-x.answered:
	case <-ctx.Done():
		d.log.Error("reply not delivered", "error", ctx.Err())
		return
	}
	if x.answeredElsewhere {
		return
	}
	if x.carriesReply {
		replies = x.remaining
	}
	if u, ok := x.carriedReply.(chat.Update); ok && x.carriesReply {
		if err := d.redraw(ctx, x, u); err != nil {
			d.log.Error("reply not delivered", "reply", "drawn again", "error", err)
		}
	}
	d.carryOutReplies(ctx, x, replies)
	if x.deferred { // nothing came to take its place
		if err := d.withTokenRetry(ctx, x, x.webhookRequest("take back an answer", http.MethodDelete, "/messages/@original", nil)); err != nil {
			d.log.Warn("answer not taken back", "error", err)
		}
	}
}

func (d *Discord) carryOutReplies(ctx context.Context, x *exchange, replies []chat.Reply) {
	for n := 1; len(replies) > 0; n++ {
		var err error
		rest := replies[1:]
		switch r := replies[0].(type) {
		case chat.Update:
			err = errors.Join(d.update(ctx, x, r.Card), d.redraw(ctx, x, r))
		case chat.Whisper:
			err = d.whisperWithFiles(ctx, x, r)
			rest = r.Then.Next(chat.DeliveredAfter(err), rest)
		case chat.Post:
			err = d.post(ctx, fmt.Sprintf("%s-%d", x.event.ID, n), r.To, r.Card, r.Files)
			rest = r.Then.Next(chat.DeliveredAfter(err), rest)
		case chat.FieldErrors:
			for _, card := range x.giveBack(r) {
				err = errors.Join(err, d.whisper(ctx, x, card))
			}
		case chat.OpenForm:
			err = d.offerForm(ctx, x, r)
		default:
			err = fmt.Errorf("unknown reply %T", r)
		}
		if err != nil {
			d.log.Error("reply not delivered", "reply", fmt.Sprintf("%T", replies[0]), "error", err)
		}
		replies = rest
	}
}

// whisperWithFiles whispers a card, and files with it.
func (d *Discord) whisperWithFiles(ctx context.Context, x *exchange, w chat.Whisper) error {
	err := d.whisper(ctx, x, w.Card, w.Files...)
	if !refusesFiles(err) || len(w.Files) == 0 {
		return err
	}
	return missingFiles(w.Files, err, d.whisper(ctx, x, w.Card))
}

// refusesFiles says whether Discord may take the message without its files: they are too large, or the bot is not allowed to attach any.
func refusesFiles(err error) bool {
	r, ok := errors.AsType[*apiError](err)
	return ok && (r.status == http.StatusRequestEntityTooLarge || r.code == discordgo.ErrCodeRequestEntityTooLarge ||
		r.code == discordgo.ErrCodeMissingPermissions)
}

// missingFiles is what became of a card that was sent again without the files that Discord refused.
func missingFiles(files []chat.File, refused, again error) error {
	if again != nil {
		return again
	}
	missing := &chat.MissingFilesError{Err: refused}
	for _, f := range files {
		missing.Names = append(missing.Names, f.Name)
	}
	return missing
}

// offerForm stands in for a form that came too late to open: after a press, with a button that asks for it again.
func (d *Discord) offerForm(ctx context.Context, x *exchange, o chat.OpenForm) error {
	d.log.Warn("form came too late")
	blocks := slices.Clone(o.Fallback.Blocks)
	if _, err := x.event.Action.Encode(); err == nil && x.event.Kind == chat.Press {
		blocks = append(blocks, chat.Buttons{Buttons: []chat.Button{{Label: o.Form.Title, Action: x.event.Action}}})
	}
	return d.whisper(ctx, x, chat.Card{Blocks: blocks})
}

// webhookRequest is a call that an interaction's token allows.
func (x *exchange) webhookRequest(what, method, rest string, m any) request {
	path := "webhooks/" + x.origin.Application + "/" + x.origin.Token
	return request{what: what, method: method, path: path + rest, bucket: path, body: m, again: method != http.MethodPost, own: true}
}

// Times within which an answer that was given by HTTP may not have reached what takes the changes of it.
const (
	tokenSettleTimeout = 5 * time.Second
	tokenRetryDelay    = 250 * time.Millisecond
)

// withTokenRetry makes a call that an interaction's token allows.
func (d *Discord) withTokenRetry(ctx context.Context, x *exchange, r request) error {
	for pause := tokenRetryDelay; ; pause *= 2 {
		err := d.client.do(ctx, r, nil)
		if code(err) != discordgo.ErrCodeUnknownWebhook || time.Since(x.arrived) > tokenSettleTimeout || dispatch.Sleep(ctx, pause) != nil {
			return err
		}
	}
}

// tokenExpired says that an interaction's token has no use any more: its fifteen minutes are over, say.
func tokenExpired(err error) bool {
	switch code(err) {
	case discordgo.ErrCodeUnknownWebhook, discordgo.ErrCodeInvalidWebhookTokenProvided, discordgo.ErrCodeUnknownInteraction:
		return true
	}
	return false
}

// update changes the card that was pressed.
func (d *Discord) update(ctx context.Context, x *exchange, c chat.Card) error {
	if !x.changeable() {
		return d.whisper(ctx, x, c)
	}
	m, err := message(c, false, nil)
	if err != nil {
		return err
	}
	if x.editsCard && !x.tokenDead {
		err = d.withTokenRetry(ctx, x, x.webhookRequest("change a card", http.MethodPatch, "/messages/@original", m))
		switch {
		case tokenExpired(err):
			x.tokenDead, x.deferred = true, false
		case code(err) == discordgo.ErrCodeUnknownMessage: // dismissed
			x.origin.Message = ""
			return d.whisper(ctx, x, c)
		default:
			return err
		}
	}
	if !x.event.Private { // only a token changes what one person alone sees
		return d.whisper(ctx, x, c)
	}
	where := "channels/" + x.origin.Channel + "/messages"
	err = d.client.do(ctx, request{
		what: "change a card", method: http.MethodPatch, path: where + "/" + x.origin.Message, bucket: where + " change", body: m, again: true,
	}, nil)
	if code(err) == discordgo.ErrCodeUnknownMessage {
		return d.whisper(ctx, x, c)
	}
	return err
}

// redraw changes the card that was pressed again, where what it shows has changed since it was
// drawn.
func (d *Discord) redraw(ctx context.Context, x *exchange, made chat.Update) error {
	if !x.changeable() {
		return nil
	}
	return dispatch.Redraw(ctx, made, func(ctx context.Context, c chat.Card) error {
		return d.update(ctx, x, c)
	})
}

// whisper shows a card, with files, to the person of a gesture alone.
func (d *Discord) whisper(ctx context.Context, x *exchange, c chat.Card, files ...chat.File) error {
	if !x.tokenDead {
		err := d.followUp(ctx, x, c, files)
		if !tokenExpired(err) {
			return err
		}
		x.tokenDead, x.deferred = true, false
		if !x.event.Private {
			return err
		}
	}
	if !x.event.Private {
		return errors.New("tell somebody something: the time for an answer is over")
	}
	m, err := message(c, false, files)
	if err != nil {
		return err
	}
	m.Nonce, m.EnforceNonce = nonce(""), true
	return d.send(ctx, x.origin.Channel, m, files)
}

// followUp shows a card, with files, through a token: in place of what says that something will come, or as a message of its own.
func (d *Discord) followUp(ctx context.Context, x *exchange, c chat.Card, files []chat.File) error {
	if x.deferred && x.deferredPublic && !x.event.Private {
		// It would be filled for everybody.
		if err := d.withTokenRetry(ctx, x, x.webhookRequest("take back an answer", http.MethodDelete, "/messages/@original", nil)); err != nil {
			return err
		}
		x.deferred = false
	}
	if x.deferred {
		m, err := message(c, false, files) // whether one person sees it is settled
		if err != nil {
			return err
		}
		r := x.webhookRequest("fill an answer", http.MethodPatch, "/messages/@original", m)
		r.files = files
		if err = d.withTokenRetry(ctx, x, r); err == nil {
			x.deferred = false
		}
		return err
	}
	m, err := message(c, !x.event.Private, files)
	if err != nil {
		return err
	}
	r := x.webhookRequest("follow an answer", http.MethodPost, "", m)
	r.files = files
	return d.withTokenRetry(ctx, x, r)
}

// Post shows a card, with files, to everybody in a place, which goes by its channel alone. The id names this one message: sent again under
// its id within a few minutes, it arrives once. It returns chat.ErrUnreachable, or another error when it was not posted and may be tried again.
func (d *Discord) Post(ctx context.Context, id string, to chat.Place, card chat.Card, files []chat.File) error {
	return retryableByNonce(d.post(ctx, id, to, card, files))
}

func (d *Discord) post(ctx context.Context, id string, to chat.Place, card chat.Card, files []chat.File) error {
	if _, ok := snowflake(to.Channel); !ok || to.Platform != Platform {
		return errors.New("post a card: not a place in Discord")
	}
	err := d.postOnce(ctx, id, to, card, files)
	if len(files) > 0 && refusesFiles(err) {
		err = missingFiles(files, err, d.postOnce(ctx, id, to, card, nil))
	}
	if err != nil {
		d.mu.Lock()
		delete(d.rightsCache, to.Channel) // what a gesture told may be wrong by now
		d.mu.Unlock()
		return fmt.Errorf("post a card: %w", cannotPost(err))
	}
	return nil
}

func (d *Discord) postOnce(ctx context.Context, id string, to chat.Place, card chat.Card, files []chat.File) error {
	m, err := message(card, false, files)
	if err != nil {
		return err
	}
	m.Nonce, m.EnforceNonce = nonce(id), true
	return d.send(ctx, to.Channel, m, files)
}

// send puts a message into a channel. With a nonce it may be tried again: Discord keeps one within a few minutes
// (resources/message.mdx, enforce_nonce).
func (d *Discord) send(ctx context.Context, channel string, m messageBody, files []chat.File) error {
	path := "channels/" + channel + "/messages"
	var made struct {
		ID string `json:"id"`
	}
	err := d.client.do(ctx, request{what: "send a message", method: http.MethodPost, path: path, bucket: path, body: m, files: files, again: m.EnforceNonce}, &made)
	if err != nil {
		return err
	}
	if _, ok := snowflake(made.ID); !ok { // something between here and Discord answered
		return errors.New("send a message: what answers is not Discord")
	}
	return nil
}

// nonce is the id of a message as Discord takes it, at most 25 characters; without an id it is one of its own.
func nonce(id string) string {
	const most = 25
	switch {
	case id == "":
		return rand.Text()[:most]
	case len(id) <= most:
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])[:most]
}

const (
	// defaultDMInterval is the usual Options.ColdEvery. Bots were shut in quarantine after 25 to 40 conversations opened in a
	// row; Discord tells no figure. Twenty a minute, to people who have begun a survey or asked for it, has room below.
	defaultDMInterval = 3 * time.Second
	// dmCooldown is what is waited when Discord says that conversations are opened too fast, coolings how often.
	dmCooldown    = time.Minute
	maxDMAttempts = 3
)

// Send sends a card to somebody's own conversation with the bot, at most one in Options.ColdEvery. It returns chat.ErrNoConsent
// for somebody who has not agreed to that.
func (d *Discord) Send(ctx context.Context, id string, to chat.Person, card chat.Card) error {
	if _, ok := snowflake(to.ID); !ok || to.Platform != Platform {
		return fmt.Errorf("send a card: not a person in Discord: %w", chat.ErrUnreachable)
	}
	m, err := message(card, false, nil)
	if err != nil {
		return fmt.Errorf("send a card: %w", err)
	}
	if d.options.ConsentsToDM != nil {
		agreed, err := d.options.ConsentsToDM(ctx, to)
		if err != nil {
			return fmt.Errorf("send a card: ask whether they have agreed: %w", err)
		}
		if !agreed {
			return fmt.Errorf("send a card: %w", chat.ErrNoConsent)
		}
	}
	m.Nonce, m.EnforceNonce = nonce(id), true
	for try := 1; ; try++ {
		if err := d.dmLimiter.Wait(ctx); err != nil {
			return fmt.Errorf("wait to send a card: %w", err)
		}
		if err = retryableByNonce(d.openAndSend(ctx, to.ID, m)); code(err) != discordgo.ErrCodeOpeningDirectMessagesTooFast || try == maxDMAttempts {
			break
		}
		d.log.Warn("discord says that conversations are opened too fast", "wait", dmCooldown)
		d.client.caller.Holds.Add(dmBucket, dmCooldown)
	}
	switch code(err) {
	case discordgo.ErrCodeCannotSendMessagesToThisUser, errCodeNoSharedServer, discordgo.ErrCodeUnknownUser, discordgo.ErrCodeInvalidRecipients:
		return fmt.Errorf("send a card: %w: %w", chat.ErrUnreachable, err)
	}
	if err != nil {
		return fmt.Errorf("send a card: %w", err)
	}
	return nil
}

// retryableByNonce is the error of a message that has a name: when its answer was lost it can be sent again within minutes, and arrives once.
func retryableByNonce(err error) error {
	if errors.Is(err, chat.ErrUnsure) {
		return errNoAnswer
	}
	return err
}

var errNoAnswer = errors.New("no answer; sent again under its name it arrives once")

const (
	// errCodeNoSharedServer is the error for somebody who is in no server with the bot; discordgo has no name for it.
	errCodeNoSharedServer = 50278
	// dmBucket is the bucket of opening conversations.
	dmBucket = "users/@me/channels"
)

func (d *Discord) openAndSend(ctx context.Context, user string, m messageBody) error {
	var conversation struct {
		ID string `json:"id"`
	}
	// It is there once, however often it is opened (resources/user.mdx).
	err := d.client.do(ctx, request{
		what: "open a conversation", method: http.MethodPost, path: "users/@me/channels", bucket: dmBucket, body: map[string]string{"recipient_id": user}, again: true,
	}, &conversation)
	if errors.Is(err, chat.ErrUnsure) {
		return fmt.Errorf("open a conversation: no answer") // the message was not sent
	}
	if err != nil {
		return err
	}
	if _, ok := snowflake(conversation.ID); !ok {
		return errors.New("open a conversation: no channel")
	}
	return d.send(ctx, conversation.ID, m, nil)
}
