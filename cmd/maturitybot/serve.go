package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
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
