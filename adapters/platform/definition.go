package platform

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"maturitybot/bot/chat"
)

// Definition is a chat platform as the program knows it. The adapter of each platform has one, and
// cmd/maturitybot/platforms.go lists them.
type Definition struct {
	Name  string // name in ids, logs and metrics
	Title string // name that users know
	Setup string // which variables a bot on the platform needs, and where that is explained
	// Workspaces reports whether the ids of people and places name a workspace. Where they do not, the
	// platform's own ids are enough.
	Workspaces bool
	// Credentials are what the platform gives out. Configure gets those that are set.
	Credentials []Credential
	// Configure cleans and checks the values of environment variables. It returns a nil Config if
	// none that belongs to the platform is set, or if it reports faults. A fault names its variable,
	// and repeats no secret.
	Configure func(Values) (config Config, faults []string)
}

// Values are the values of environment variables by name.
type Values map[string]string

// Get returns a value without the white space around it.
func (v Values) Get(name string) string { return strings.TrimSpace(v[name]) }

// Secret is like Get.
func (v Values) Secret(name string) chat.Secret { return chat.Secret(v.Get(name)) }

// Credential is a value that a platform gives out for its app.
type Credential struct {
	Name  string // name of the environment variable
	What  string // description with an article, such as "a bot token"
	Use   string // what the platform's bot uses it for
	Where string // where in the platform's pages it is found
}

// Missing returns the fault that the credential is not set.
func (c Credential) Missing() string { return c.Name + " is missing: " + c.Where }

// Malformed returns the fault that the credential has another form than the platform's.
func (c Credential) Malformed() string { return c.Name + " is not " + c.What + ": " + c.Where }

// Config is the configuration of a bot on a platform, found to be right.
type Config interface {
	// Paths are the paths at which the platform delivers by HTTP. If there are none, the adapter
	// connects to the platform and receives from it.
	Paths() []string
	// Connect returns an adapter for the bot. An error that is chat.ErrUnavailable may pass.
	Connect(ctx context.Context, b Bot) (Adapter, error)
	// Check tries the configuration, and changes nothing. Of the bot it needs Spec and Dial.
	Check(ctx context.Context, b Bot, report Report)
}

// Bot is what an adapter connects to a platform.
type Bot struct {
	Responder chat.Responder
	Spec      chat.AppSpec
	Claims    EventClaims
	// Suggest completes an option of a command while a user types it.
	Suggest func(ctx context.Context, e chat.Event, field string) []chat.Option
	// ConsentsToDM reports whether a person has agreed to direct messages.
	ConsentsToDM func(ctx context.Context, p chat.Person) (bool, error)
	Log          *slog.Logger
	Observer     chat.Observer
	// Dial makes the connections. If it is nil, they go to the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// EventClaims decides which of several processes answers an event.
type EventClaims interface {
	// Claim returns true for the first claim of an event within minutes, in whichever process.
	Claim(ctx context.Context, event string) (bool, error)
	// Finish notes that a claimed event has been answered.
	Finish(ctx context.Context, event string) error
}

// Adapter is the bot on a platform.
type Adapter interface {
	chat.Directory
	chat.Sender
	// Handler takes the platform's requests.
	Handler() http.Handler
	// Receive connects to the platform and receives from it until the context ends. It is not
	// called where the platform delivers by HTTP.
	Receive(ctx context.Context) error
	// Drain stops taking deliveries, and waits until those that were taken are handled.
	Drain(ctx context.Context) error
}

// Report takes a finding of Check.
type Report func(level Level, format string, args ...any)

// Level is how serious a finding is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "FAIL"
)

// Masked returns what may be shown of a secret to tell it from another: its last four characters,
// and its kind if it begins with one of these.
func Masked(s chat.Secret, kinds ...string) string {
	const shown, minLength = 4, 16 // of a shorter secret four would be too many
	text := string(s)
	if len(text) < minLength {
		return chat.Mask
	}
	masked := "…" + text[len(text)-shown:]
	for _, kind := range kinds {
		if strings.HasPrefix(text, kind) {
			return kind + masked
		}
	}
	return masked
}
