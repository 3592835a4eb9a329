package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/results"
	"maturitybot/adapters/slack"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/reminders"
	"maturitybot/survey"
)

// serveCommand runs the bot where it is given tokens for. Tokens come from the environment alone: a command line can be read by
// everybody on the machine.
type serveCommand struct {
	matrixFlag
	RedisURL  string   `name:"redis-url" env:"REDIS_URL" placeholder:"URL" help:"Where answers are kept, such as redis://localhost:6379/0."`
	Listen    string   `name:"listen" env:"LISTEN" default:":8080" help:"Address for requests of Slack or Discord, where they come by HTTP."`
	Creators  []string `name:"creators" env:"CREATORS" placeholder:"PERSON" help:"Who may start rounds besides the platform's admins, such as slack:T024BE7LD:U2147483697; several with commas."`
	LogFormat string   `name:"log-format" env:"LOG_FORMAT" enum:"text,json" default:"text" help:"text or json."`
	SlackAPI  string   `name:"slack-api-url" env:"SLACK_API_URL" placeholder:"URL" help:"Another server in place of Slack's: a gateway, or a test."`

	env func(string) string // os.Getenv, but for tests
}

// config is what serve needs to know, found to be complete.
type config struct {
	creators []chat.Person
	slack    *slackConfig
}

// slackConfig is Slack's part. Without an app token requests come by HTTP.
type slackConfig struct{ bot, app, signing string }

func (c *slackConfig) socket() bool { return c.app != "" }

// faults is everything that is wrong with a configuration.
type faults []string

func (f faults) Error() string {
	return "this configuration cannot be used:\n  - " + strings.Join(f, "\n  - ")
}

var hexSecret = regexp.MustCompile(`^[0-9a-f]{32}$`)

// config reads the whole configuration, and names everything that is missing or wrong at once, with where it is found.
func (c *serveCommand) config() (config, error) {
	env := c.env
	if env == nil {
		env = os.Getenv
	}
	var conf config
	var wrong faults
	if c.RedisURL == "" {
		wrong = append(wrong, "REDIS_URL is missing: the address of a Redis 7.0 or later, such as redis://localhost:6379/0")
	}
	for _, s := range c.Creators {
		p, err := chat.ParsePerson(strings.TrimSpace(s))
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("CREATORS: %q is no person: write platform:workspace:id, such as slack:T024BE7LD:U2147483697", s))
		}
		conf.creators = append(conf.creators, p)
	}
	s := slackConfig{bot: env("SLACK_BOT_TOKEN"), app: env("SLACK_APP_TOKEN"), signing: env("SLACK_SIGNING_SECRET")}
	if s != (slackConfig{}) {
		conf.slack = &s
		wrong = append(wrong, s.faults()...)
	}
	if conf.slack == nil {
		wrong = append(wrong, "no chat platform: set SLACK_BOT_TOKEN, and SLACK_APP_TOKEN or SLACK_SIGNING_SECRET (README.md, Slack)")
	}
	if len(wrong) > 0 {
		return config{}, wrong
	}
	return conf, nil
}

func (c *slackConfig) faults() (wrong faults) {
	const page = "api.slack.com/apps, your app, "
	switch {
	case c.bot == "":
		wrong = append(wrong, "SLACK_BOT_TOKEN is missing: "+page+"OAuth & Permissions, Bot User OAuth Token (after Install to Workspace)")
	case !strings.HasPrefix(c.bot, "xoxb-"):
		wrong = append(wrong, "SLACK_BOT_TOKEN is not a bot token, which begins with xoxb-: "+page+"OAuth & Permissions, Bot User OAuth Token")
	}
	switch {
	case c.app == "" && c.signing == "":
		wrong = append(wrong, "SLACK_APP_TOKEN (for Socket Mode: "+page+"Basic Information, App-Level Tokens, with the scope connections:write) or "+
			"SLACK_SIGNING_SECRET (for HTTP: "+page+"Basic Information, App Credentials) is missing")
	case c.app != "" && !strings.HasPrefix(c.app, "xapp-"):
		wrong = append(wrong, "SLACK_APP_TOKEN is not an app-level token, which begins with xapp-: "+page+"Basic Information, App-Level Tokens")
	case c.app == "" && !hexSecret.MatchString(c.signing):
		wrong = append(wrong, "SLACK_SIGNING_SECRET is not a signing secret, which is 32 digits 0-9 and a-f: "+page+"Basic Information, App Credentials, Signing Secret")
	}
	return wrong
}

// patience is how long work in hand may take when the program is told to end.
const patience = 10 * time.Second

// Run serves until it is told to end.
func (c *serveCommand) Run(ctx context.Context, s streams) error {
	conf, err := c.config()
	if err != nil {
		return err
	}
	var handler slog.Handler = slog.NewTextHandler(s.err, nil)
	if c.LogFormat == "json" {
		handler = slog.NewJSONHandler(s.err, nil)
	}
	log := slog.New(handler)
	slog.SetDefault(log)
	matrices, err := c.matrices()
	if err != nil {
		return err
	}
	store, err := redis.Open(ctx, c.RedisURL)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // everything was written when it was said to be
	for _, w := range store.Check(ctx) {
		log.Warn("redis", "advice", w)
	}
	words, err := locale.Load()
	if err != nil {
		return err
	}
	rounds := survey.NewRounds(store, matrices, time.Now)
	people := platforms{}
	b := bot.New(bot.Options{
		Rounds: rounds, Matrices: matrices, Words: words, Artist: results.New(words), Directory: people, Sender: people,
		Claims: store, Creators: conf.creators, Log: log, Now: time.Now,
	})
	return c.serve(ctx, conf, log, b, people, reminders.NewLoop(rounds, b, log))
}

// serve connects the platforms and runs until the context ends or one of them cannot go on; then it takes nothing more, and
// finishes what is in hand.
func (c *serveCommand) serve(ctx context.Context, conf config, log *slog.Logger, b *bot.Bot, people platforms, loop *reminders.Loop) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	run := func(name string, do func(context.Context) error) {
		running.Go(func() {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	web := http.NewServeMux()
	byHTTP := false
	var drains []func(context.Context) error
	if conf.slack != nil {
		adapter, err := slack.New(ctx, slack.Options{
			Token: slack.Secret(conf.slack.bot), AppToken: slack.Secret(conf.slack.app), SigningSecret: slack.Secret(conf.slack.signing),
			APIURL: c.SlackAPI, Responder: b, Log: log.With("platform", slack.Platform),
		})
		if err != nil {
			return fmt.Errorf("connect to Slack: %w", err)
		}
		people[slack.Platform] = adapter
		drains = append(drains, adapter.Drain)
		if conf.slack.socket() {
			run("Slack", adapter.RunSocket)
		} else {
			byHTTP = true
			web.Handle("/slack", adapter.Handler())
			web.Handle("/slack/", adapter.Handler())
		}
	}
	if byHTTP {
		server, err := listen(ctx, c.Listen, web)
		if err != nil {
			return err
		}
		log.Info("listening", "address", server.Addr)
		run("HTTP", server.run)
	}
	run("reminders", loop.Run)
	log.Info("serving", "slack", conf.slack != nil)

	<-ctx.Done()
	log.Info("ending", "patience", patience)
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stop()
	var unfinished error
	for _, drain := range drains {
		unfinished = errors.Join(unfinished, drain(end))
	}
	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-end.Done():
		unfinished = errors.Join(unfinished, end.Err())
	}
	if unfinished != nil {
		log.Error("ended with work in hand", "error", unfinished)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// server is the HTTP side.
type server struct {
	*http.Server
	listener net.Listener
}

func listen(ctx context.Context, address string, handler http.Handler) (*server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for requests: %w", err)
	}
	return &server{listener: l, Server: &http.Server{
		Addr: l.Addr().String(), Handler: handler,
		// Both platforms send at once and hang up after three seconds: whoever takes longer is somebody else.
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10,
	}}, nil
}

func (s *server) run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(s.listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		end, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer stop()
		return s.Shutdown(end)
	}
}

// platforms are the chat platforms that are connected, by name: each question goes to the one that it is about.
type platforms map[string]platform

func (p platforms) Find(ctx context.Context, from chat.Place, word string) (chat.Person, error) {
	if on, ok := p[from.Platform]; ok {
		return on.Find(ctx, from, word)
	}
	return chat.Person{}, chat.ErrNobody
}

func (p platforms) Members(ctx context.Context, in chat.Place) ([]chat.Person, error) {
	if on, ok := p[in.Platform]; ok {
		return on.Members(ctx, in)
	}
	return nil, chat.ErrNobody
}

// Send leaves a message to somebody on a platform that is not connected for when it is.
func (p platforms) Send(ctx context.Context, id string, to chat.Person, card chat.Card) error {
	if on, ok := p[to.Platform]; ok {
		return on.Send(ctx, id, to, card)
	}
	return fmt.Errorf("send a message: %s is not connected", to.Platform)
}
