package discord

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"maturitybot/adapters/platform"
	"maturitybot/adapters/webhook"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// Options are what a Discord is made of.
type Options struct {
	Token chat.Secret // of the bot
	// PublicKey of the application, in hex, proves that a delivery by HTTP is Discord's. It is not
	// needed for the gateway.
	PublicKey string
	// ApplicationID is the application that the token must belong to, or empty.
	ApplicationID string
	// Guilds are the ids of the servers that the bot works in. If there are none, it works in every
	// server.
	Guilds []string
	// APIURL is the address of the REST API with its version. If it is empty, it is Discord's own.
	APIURL string
	// Commands are what Register registers. A command that is not among them is not understood.
	Commands []chat.CommandSpec
	// EditInterval is the shortest time between two edits of a card that everybody sees. Zero is
	// platform.DefaultEditInterval.
	EditInterval time.Duration
	// Responder handles events. It is not called before New returns.
	Responder chat.Responder
	// Claims keeps several processes on one gateway from answering the same event. Nil means that
	// there is one process.
	Claims platform.EventClaims
	// ConsentsToDM returns true for a person who has begun a survey, or has asked for messages.
	// Send sends nothing to anybody else, because Discord bans bots for that. Nil means that
	// everybody consents.
	ConsentsToDM func(ctx context.Context, p chat.Person) (bool, error)
	// ColdEvery is the shortest time between two messages that Send sends. Zero is three seconds.
	ColdEvery time.Duration
	// Suggest completes an option of a command while a user types it. Event.Values hold what is
	// typed so far. Nil suggests nothing.
	Suggest func(ctx context.Context, e chat.Event, field string) []chat.Option
	// Log may be nil, which discards everything.
	Log *slog.Logger
	// Observer is told of acknowledgements, rate limits and connections. It may be nil.
	Observer chat.Observer
	// Dial makes the connections to Discord. If it is nil, they go to the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Discord is the bot in Discord.
type Discord struct {
	client     *client
	options    Options
	log        *slog.Logger
	app        string // the application's id
	botUser    string // the bot's id as a user
	endpoint   bool   // Discord delivers by HTTP
	key        ed25519.PublicKey
	responder  chat.Responder
	dispatch   *dispatch.Dispatcher
	redraws    *platform.Redraws
	dmLimiter  *rate.Limiter      // of messages that Send sends
	deliveries *webhook.Reader    // by HTTP
	refusals   *webhook.SparseLog // of deliveries by HTTP
	running    sync.WaitGroup     // interactions that the gateway delivered

	mu sync.Mutex
	// rightsCache has the bot's permissions by channel, as they came with interactions.
	rightsCache map[string]cachedRights
	// byCard has the last exchange under way by the card that it would change.
	byCard map[string]*exchange
	// byEvent has the exchanges that another process may have claimed.
	byEvent map[string]*exchange
}

var (
	_ chat.Directory = (*Discord)(nil)
	_ chat.Sender    = (*Discord)(nil)
)

// portal is where the credentials of an application are found.
const portal = "discord.com/developers/applications"

// Errors of New, which say where in the Developer Portal the right value is.
var (
	errNoToken = errors.New("the Discord bot token is missing: press Reset Token on the " +
		"application's page Bot at " + portal)
	errTokenForm = errors.New("the Discord bot token has a space or another character that no " +
		"token has: copy it again from the page Bot at " + portal)
	errPublicKey = errors.New("the Discord public key is malformed: it has 64 digits and letters from " +
		"a to f, on the application's page General Information at " + portal)
)

// New asks Discord who the token belongs to. Its errors say which value is wrong, and where in the
// Developer Portal the right one is. An error that is chat.ErrUnavailable may pass.
func New(ctx context.Context, o Options) (*Discord, error) {
	key, err := o.validate()
	if err != nil {
		return nil, err
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.Observer = cmp.Or[chat.Observer](o.Observer, chat.NopObserver{})
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	me, app, err := c.identify(ctx)
	if err != nil {
		return nil, err
	}
	if want := o.ApplicationID; want != "" && want != app.ID {
		return nil, fmt.Errorf("the Discord bot token belongs to application %s, not to %s: copy "+
			"the Application ID and the token from the same application at %s",
			app.ID, want, portal)
	}
	if key != nil && app.Key != "" && !strings.EqualFold(app.Key, o.PublicKey) {
		return nil, fmt.Errorf("the Discord public key is not that of application %s, which the "+
			"bot token belongs to: copy it from the page General Information at %s",
			app.ID, portal)
	}
	if key != nil && app.Endpoint == "" {
		o.Log.Warn("discord does not deliver by HTTP yet: once the bot serves, set its address " +
			"as Interactions Endpoint URL on the page General Information at " + portal)
	}
	d := &Discord{
		client:      c,
		options:     o,
		log:         o.Log,
		app:         app.ID,
		botUser:     me.ID,
		endpoint:    app.Endpoint != "",
		key:         key,
		responder:   o.Responder,
		dmLimiter:   rate.NewLimiter(rate.Every(cmp.Or(o.ColdEvery, defaultDMInterval)), 1),
		refusals:    webhook.NewSparseLog(o.Log),
		rightsCache: map[string]cachedRights{},
		byCard:      map[string]*exchange{},
		byEvent:     map[string]*exchange{},
	}
	d.deliveries = webhook.NewReader(maxPayload, verifier{key}.headers, verifier{key}.body)
	d.dispatch = dispatch.New(withClaims{o.Responder, d}, o.Log)
	d.redraws = platform.NewRedraws(d.editShared, o.EditInterval, o.Log)
	return d, nil
}

// validate removes white space around the options, and returns the public key, or an error if the
// form of an option is wrong.
func (o *Options) validate() (key ed25519.PublicKey, err error) {
	o.Token = trimToken(o.Token)
	o.PublicKey = strings.TrimSpace(o.PublicKey)
	o.ApplicationID = strings.TrimSpace(o.ApplicationID)
	if o.Token == "" {
		return nil, errNoToken
	}
	if !isToken(o.Token) {
		return nil, errTokenForm
	}
	if o.PublicKey != "" {
		var ok bool
		if key, ok = publicKey(o.PublicKey); !ok {
			return nil, errPublicKey
		}
	}
	for _, g := range o.Guilds {
		if !isServerID(g) {
			return nil, fmt.Errorf("%q is no id of a Discord server: switch on Developer Mode in "+
				"Discord's own settings, then right-click the server and copy its id", g)
		}
	}
	return key, nil
}

// application is what Discord returns for an application.
type application struct {
	ID       string `json:"id"`
	Key      string `json:"verify_key"`
	Endpoint string `json:"interactions_endpoint_url"`
}

// identify asks Discord for the bot user and the application that the token belongs to.
func (c *client) identify(ctx context.Context) (me user, app application, err error) {
	err = c.do(ctx, get("ask whose the bot token is", "users/@me"), &me)
	if err == nil {
		err = c.do(ctx, get("ask for the application", "applications/@me"), &app)
	}
	if e, ok := errors.AsType[*apiError](err); ok && e.status == http.StatusUnauthorized {
		return me, app, fmt.Errorf("use the Discord bot token, which Discord refuses (press Reset "+
			"Token on the application's page Bot at %s, and use the new one; not the client "+
			"secret, nor the public key): %w", portal, err)
	}
	if err != nil {
		return me, app, fmt.Errorf("reach Discord: %w", markUnavailable(err))
	}
	if _, ok := snowflake(app.ID); !ok {
		err = errors.New("reach Discord: what answers at the address of the API is not Discord")
	}
	return me, app, err
}

// Drain stops taking deliveries. It returns when everything that was taken has been handled and
// sent, or with the context's error when that ends first.
func (d *Discord) Drain(ctx context.Context) error {
	err := cmp.Or(d.dispatch.Drain(ctx), dispatch.Wait(ctx, &d.running), d.redraws.Drain(ctx))
	d.client.session.Client.CloseIdleConnections()
	return err
}
