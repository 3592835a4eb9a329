// Package slack is the bot in Slack. It receives events, interactions and commands by HTTP or by
// Socket Mode, hands them to a chat.Responder, one at a time for each person and each one once, and
// acknowledges them within the three seconds that Slack allows. It draws the replies in Block Kit
// and sends them within Slack's rate limits. It holds no sentence and no rule of the conversation.
package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"maturitybot/adapters/platform"
	"maturitybot/adapters/webhook"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// Options are what a Slack is made of.
type Options struct {
	Token         chat.Secret // of the bot user, xoxb-
	AppToken      chat.Secret // for Socket Mode, xapp-
	SigningSecret chat.Secret // for HTTP
	// APIURL is the address of the Web API. If it is empty, it is Slack's own.
	APIURL string
	// EditInterval is the shortest time between two edits of a card that everybody sees. Zero is
	// platform.DefaultEditInterval.
	EditInterval time.Duration
	// Responder handles events. It is not called before New returns.
	Responder chat.Responder
	// Log may be nil, which discards everything.
	Log *slog.Logger
	// Observer is told of acknowledgements, rate limits and sockets. It may be nil.
	Observer chat.Observer
	// Dial makes the connections to Slack. If it is nil, they go to the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Slack is the bot in one workspace.
type Slack struct {
	client     *client
	options    Options
	log        *slog.Logger
	team       string // the workspace's id
	dispatch   *dispatch.Dispatcher
	profiles   *profileCache
	homes      *homes
	redraws    *platform.Redraws
	replays    *replayFilter
	deliveries *webhook.Reader    // by HTTP
	refusals   *webhook.SparseLog // of deliveries by HTTP
	bulk       *pacer             // messages that nobody asked for
	posts      *pacer             // cards for everybody in a channel
	replies    *pacer             // all other messages to a channel
	running    *sync.WaitGroup

	sockets struct {
		sync.Mutex
		open int
	}

	mu sync.Mutex
	// submitted are the last submissions. They are needed when one is sent again because its
	// acknowledgement was lost.
	submitted []*delivery
}

var (
	_ chat.Directory = (*Slack)(nil)
	_ chat.Sender    = (*Slack)(nil)
)

// Errors of New, which say where in Slack's pages the right value is.
var (
	errBotToken = errors.New("the Slack bot token is missing or of another kind: copy the Bot " +
		"User OAuth Token from OAuth & Permissions at api.slack.com/apps; it begins with xoxb-")
	errAppTokenKind = errors.New("the Slack app token is of another kind: create one with the " +
		"scope connections:write under Basic Information, App-Level Tokens, at " +
		"api.slack.com/apps; it begins with xapp-")
	errNoDelivery = errors.New("neither a Slack app token nor a signing secret: for Socket Mode " +
		"create the one under Basic Information, App-Level Tokens, at api.slack.com/apps; for " +
		"HTTP copy the other from App Credentials on the same page")
	errSigningSecret = errors.New("the Slack signing secret is malformed: it has 32 digits and letters " +
		"from a to f; copy it from Basic Information, App Credentials, at api.slack.com/apps")
)

// New asks Slack who the token belongs to. Its errors say which value is wrong, and where in
// Slack's pages the right one is. An error that is chat.ErrUnavailable may pass.
func New(ctx context.Context, o Options) (*Slack, error) {
	switch {
	case !isBotToken(o.Token):
		return nil, errBotToken
	case o.AppToken != "" && !isAppToken(o.AppToken):
		return nil, errAppTokenKind
	case o.AppToken == "" && o.SigningSecret == "":
		return nil, errNoDelivery
	case o.AppToken == "" && !isSigningSecret(o.SigningSecret):
		return nil, errSigningSecret
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.Observer = cmp.Or[chat.Observer](o.Observer, chat.NopObserver{})
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	who, err := c.identify(ctx)
	if err != nil {
		return nil, err
	}
	s := &Slack{
		client:   c,
		options:  o,
		log:      o.Log,
		team:     who.TeamID,
		replays:  &replayFilter{},
		refusals: webhook.NewSparseLog(o.Log),
		bulk:     &pacer{all: rate.NewLimiter(bulkPerSecond, 1)},
		posts:    &pacer{},
		replies:  &pacer{burst: replyBurst},
		running:  &sync.WaitGroup{},
	}
	s.deliveries = webhook.NewReader(maxDeliveryBytes, checkHeaders, s.verify)
	s.profiles = newProfileCache(c, s.team, s.running)
	s.dispatch = dispatch.New(withProfiles{o.Responder, s}, o.Log)
	s.homes = newHomes(s.drawHome)
	s.redraws = platform.NewRedraws(s.editShared, o.EditInterval, o.Log)
	return s, nil
}

// identify asks Slack who the token belongs to.
func (c *client) identify(ctx context.Context) (*slackgo.AuthTestResponse, error) {
	var who *slackgo.AuthTestResponse
	err := c.call(ctx, "auth.test", true, func(ctx context.Context) (err error) {
		who, err = c.api.AuthTestContext(ctx)
		return err
	})
	switch code(err) {
	case "":
		if err != nil {
			return nil, fmt.Errorf("reach Slack: %w", markUnavailable(err))
		}
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive",
		"not_allowed_token_type":
		return nil, fmt.Errorf("use the Slack bot token, which Slack refuses (install the app "+
			"again, and copy the Bot User OAuth Token from OAuth & Permissions at "+
			"api.slack.com/apps): %w", err)
	default:
		return nil, fmt.Errorf("ask Slack whose the bot token is: %w", markUnavailable(err))
	}
	return who, nil
}

// Drain stops taking deliveries. It returns when everything that was taken has been handled and
// sent, or with the context's error when that ends first.
func (s *Slack) Drain(ctx context.Context) error {
	s.homes.flush()
	err := cmp.Or(s.dispatch.Drain(ctx), dispatch.Wait(ctx, s.running), s.redraws.Drain(ctx))
	s.client.http.CloseIdleConnections()
	return err
}
