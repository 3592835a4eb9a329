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

	"maturitybot/adapters/discord"
	"maturitybot/adapters/redis"
	"maturitybot/adapters/results"
	"maturitybot/adapters/slack"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
	"maturitybot/bot/locale"
	"maturitybot/reminders"
	"maturitybot/survey"
)

// serveCommand runs the bot where it is given tokens for. Tokens come from the environment alone: a command line can be read by
// everybody on the machine.
type serveCommand struct {
	matrixFlag
	RedisURL   string   `name:"redis-url" env:"REDIS_URL" placeholder:"URL" help:"Where answers are kept, such as redis://localhost:6379/0."`
	Listen     string   `name:"listen" env:"LISTEN" default:":8080" help:"Address for requests of Slack or Discord, where they come by HTTP."`
	Metrics    string   `name:"metrics" env:"METRICS" placeholder:"ADDRESS" help:"Address at which Prometheus reads /metrics, such as 127.0.0.1:9090; without it, nowhere."`
	Creators   []string `name:"creators" env:"CREATORS" placeholder:"PERSON" help:"Who may start rounds besides the platform's admins, such as slack:T024BE7LD:U2147483697; several with commas."`
	LogFormat  string   `name:"log-format" env:"LOG_FORMAT" enum:"text,json" default:"text" help:"text or json."`
	SlackAPI   string   `name:"slack-api-url" env:"SLACK_API_URL" placeholder:"URL" help:"Another server in place of Slack's: a gateway, or a test."`
	DiscordAPI string   `name:"discord-api-url" env:"DISCORD_API_URL" placeholder:"URL" help:"Another server in place of Discord's."`
	Guilds     []string `name:"discord-guilds" env:"DISCORD_GUILDS" placeholder:"ID" help:"Discord servers to offer the commands in, and alone to do anything in, several with commas; without it, every server the bot is in."`
	Holidays   string   `name:"bank-holidays" env:"BANK_HOLIDAYS" placeholder:"FILE" type:"existingfile" help:"Bank holidays in place of those known: gov.uk's bank-holidays.json, or a day a line."`

	env  func(string) string                                                  // os.Getenv, but for tests
	dial func(ctx context.Context, network, address string) (net.Conn, error) // the network, but for tests
	now  func() time.Time                                                     // the clock, but for tests
}

// config is what serve needs to know, found to be complete.
type config struct {
	creators []chat.Person
	slack    *slackConfig
	discord  *discordConfig
	guilds   []string
}

// slackConfig is Slack's part. Without an app token requests come by HTTP. Its fields are exported, as Discord's: those that are not, fmt
// prints without asking what they are.
type slackConfig struct{ Bot, App, Signing chat.Secret }

func (c *slackConfig) socket() bool { return c.App != "" }

// discordConfig is Discord's part. With a public key interactions come by HTTP.
type discordConfig struct {
	Token chat.Secret
	Key   string
}

func (c *discordConfig) gateway() bool { return c.Key == "" }

// faults is everything that is wrong with a configuration.
type faults []string

func (f faults) Error() string {
	return "this configuration cannot be used:\n  - " + strings.Join(f, "\n  - ")
}

var (
	hexSecret = regexp.MustCompile(`^[0-9a-f]{32}$`)
	publicKey = regexp.MustCompile(`^[0-9a-f]{64}$`)
	snowflake = regexp.MustCompile(`^[1-9][0-9]{16,18}$`)
)

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
	s := slackConfig{
		Bot: chat.Secret(env("SLACK_BOT_TOKEN")), App: chat.Secret(env("SLACK_APP_TOKEN")), Signing: chat.Secret(env("SLACK_SIGNING_SECRET")),
	}
	if s != (slackConfig{}) {
		conf.slack = &s
		wrong = append(wrong, s.faults()...)
	}
	d := discordConfig{Token: chat.Secret(env("DISCORD_TOKEN")), Key: env("DISCORD_PUBLIC_KEY")}
	if d != (discordConfig{}) {
		conf.discord = &d
		wrong = append(wrong, d.faults()...)
	}
	if conf.slack == nil && conf.discord == nil {
		wrong = append(wrong, "no chat platform: set SLACK_BOT_TOKEN, and SLACK_APP_TOKEN or SLACK_SIGNING_SECRET (README.md, Set up Slack), or DISCORD_TOKEN (Set up Discord)")
	}
	for _, g := range c.Guilds {
		conf.guilds = append(conf.guilds, strings.TrimSpace(g))
		if !snowflake.MatchString(strings.TrimSpace(g)) {
			wrong = append(wrong, fmt.Sprintf("DISCORD_GUILDS: %q is no server's id: switch on Developer Mode in Discord (Settings, Advanced), then right-click the server, Copy Server ID", g))
		}
	}
	if len(wrong) > 0 {
		return config{}, wrong
	}
	return conf, nil
}

func (c *discordConfig) faults() (wrong faults) {
	const page = "discord.com/developers/applications, your application, "
	if c.Token == "" {
		wrong = append(wrong, "DISCORD_TOKEN is missing: "+page+"Bot, Reset Token")
	}
	if c.Key != "" && !publicKey.MatchString(c.Key) {
		wrong = append(wrong, "DISCORD_PUBLIC_KEY is not a public key, which is 64 digits 0-9 and a-f: "+page+"General Information, Public Key; leave it out for the gateway")
	}
	return wrong
}

func (c *slackConfig) faults() (wrong faults) {
	const page = "api.slack.com/apps, your app, "
	switch {
	case c.Bot == "":
		wrong = append(wrong, "SLACK_BOT_TOKEN is missing: "+page+"OAuth & Permissions, Bot User OAuth Token (after Install to Workspace)")
	case !strings.HasPrefix(string(c.Bot), "xoxb-"):
		wrong = append(wrong, "SLACK_BOT_TOKEN is not a bot token, which begins with xoxb-: "+page+"OAuth & Permissions, Bot User OAuth Token")
	}
	switch {
	case c.App == "" && c.Signing == "":
		wrong = append(wrong, "SLACK_APP_TOKEN (for Socket Mode: "+page+"Basic Information, App-Level Tokens, with the scope connections:write) or "+
			"SLACK_SIGNING_SECRET (for HTTP: "+page+"Basic Information, App Credentials) is missing")
	case c.App != "" && !strings.HasPrefix(string(c.App), "xapp-"):
		wrong = append(wrong, "SLACK_APP_TOKEN is not an app-level token, which begins with xapp-: "+page+"Basic Information, App-Level Tokens")
	case c.App == "" && !hexSecret.MatchString(string(c.Signing)):
		wrong = append(wrong, "SLACK_SIGNING_SECRET is not a signing secret, which is 32 digits 0-9 and a-f: "+page+"Basic Information, App Credentials, Signing Secret")
	}
	return wrong
}

const (
	// patience is how long work in hand may take when the program is told to end: more than one request to a platform takes.
	patience = 10 * time.Second
	// closing is how much of it those have whose gestures are arriving.
	closing = patience / 2
)

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
	days := diary()
	if c.Holidays != "" {
		if days, err = ownHolidays(c.Holidays); err != nil {
			return err
		}
	}
	now := c.now
	if now == nil {
		now = time.Now
	}
	rounds := survey.NewRounds(store, matrices, now)
	figures := newTelemetry(rounds.Due, log)
	people := platforms{}
	b := bot.New(bot.Options{
		Rounds: rounds, Matrices: matrices, Words: words, Artist: results.New(words), Directory: people, Sender: people,
		Claims: store, Diary: days, Creators: conf.creators, Log: log, Now: now,
		Delivered: figures.count,
	})
	loop := reminders.NewLoop(rounds, b, log).Planning(reminders.NewPlanner(rounds, days, now, log))
	return c.serve(ctx, conf, log, rounds, store, b, people, loop, figures)
}

// ownHolidays is a diary that goes by the bank holidays in a file.
func ownHolidays(path string) (*reminders.Diary, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open bank holidays: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	calendar, err := reminders.LoadHolidays(path, f)
	if err != nil {
		return nil, fmt.Errorf("read bank holidays:\n%w", err)
	}
	return reminders.NewDiary(calendar), nil
}

// serve connects the platforms and runs until the context ends or one of them cannot go on. Then it first lets nothing more in, so that
// what has arrived is still taken and acknowledged, and finishes what is in hand.
func (c *serveCommand) serve(ctx context.Context, conf config, log *slog.Logger, rounds *survey.Rounds, store *redis.Store, b *bot.Bot, people platforms, loop *reminders.Loop, figures *telemetry) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var arriving, running sync.WaitGroup // the ways in, and the rest
	run := func(group *sync.WaitGroup, name string, do func(context.Context) error) {
		group.Go(func() {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	var ways []func() // in, opened once every platform is there
	web := http.NewServeMux()
	byHTTP := false
	var drains []func(context.Context) error
	if conf.slack != nil {
		adapter, err := slack.New(ctx, slack.Options{
			Token: conf.slack.Bot, AppToken: conf.slack.App, SigningSecret: conf.slack.Signing,
			APIURL: c.SlackAPI, Responder: b, Log: log.With("platform", slack.Platform), Dial: c.dial,
		})
		if err != nil {
			return fmt.Errorf("connect to Slack: %w", err)
		}
		people[slack.Platform] = adapter
		drains = append(drains, adapter.Drain)
		if conf.slack.socket() {
			ways = append(ways, func() { run(&arriving, "Slack", adapter.RunSocket) })
		} else {
			byHTTP = true
			web.Handle("/slack", adapter.Handler())
			web.Handle("/slack/", adapter.Handler())
		}
	}
	if conf.discord != nil {
		adapter, err := discord.New(ctx, discord.Options{
			Token: conf.discord.Token, PublicKey: conf.discord.Key, Guilds: conf.guilds, APIURL: c.DiscordAPI, Responder: b,
			Claims: store, Suggest: b.Suggest, Agreed: agreed(rounds), Log: log.With("platform", discord.Platform), Dial: c.dial,
		})
		if err != nil {
			return fmt.Errorf("connect to Discord: %w", err)
		}
		if err := adapter.Register(ctx); err != nil {
			return fmt.Errorf("offer the commands in Discord: %w", err)
		}
		people[discord.Platform] = adapter
		drains = append(drains, adapter.Drain)
		if conf.discord.gateway() {
			ways = append(ways, func() { run(&arriving, "Discord", adapter.RunGateway) })
		} else {
			byHTTP = true
			web.Handle("/discord", adapter.Handler())
		}
	}
	if byHTTP {
		server, err := listen(ctx, c.Listen, web)
		if err != nil {
			return err
		}
		log.Info("listening", "address", server.Addr)
		ways = append(ways, func() { run(&arriving, "HTTP", server.run) })
	}
	if c.Metrics != "" {
		server, err := listen(ctx, c.Metrics, figures.handler())
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		log.Info("metrics", "address", server.Addr)
		run(&running, "metrics", server.run)
	}
	for _, open := range ways {
		open()
	}
	run(&running, "reminders", loop.Run)
	log.Info("serving", "slack", conf.slack != nil, "discord", conf.discord != nil)

	<-ctx.Done()
	log.Info("ending", "patience", patience)
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stop()
	shut, stopped := context.WithTimeout(end, closing)
	unfinished := dispatch.Wait(shut, &arriving)
	stopped()
	for _, drain := range drains {
		unfinished = errors.Join(unfinished, drain(end))
	}
	unfinished = errors.Join(unfinished, dispatch.Wait(end, &running))
	if unfinished != nil {
		log.Error("ended with work in hand", "error", unfinished)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// agreed says whether somebody has begun a survey, and may so be written to on a platform where bots write to nobody unasked.
func agreed(rounds *survey.Rounds) func(context.Context, chat.Person) (bool, error) {
	return func(ctx context.Context, p chat.Person) (bool, error) {
		seats, err := rounds.RoundsOf(ctx, survey.PersonID(p.String()))
		if err != nil {
			return false, err
		}
		for _, s := range seats {
			if s.Member.TakesPart() {
				return true, nil
			}
		}
		return false, nil
	}
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
		end, stop := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer stop()
		if s.Shutdown(end) != nil {
			return s.Close() // whoever is still sending is neither Slack nor Discord
		}
		return nil
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
