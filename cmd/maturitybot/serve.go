package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

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
	storeFlag
	erasuresFlag
	opsFlag
	Listen     string   `name:"listen" env:"LISTEN" default:":8080" help:"Address for requests of Slack or Discord, where they come by HTTP."`
	Creators   []string `name:"creators" env:"CREATORS" placeholder:"PERSON" help:"Who may start rounds besides the platform's admins, such as slack:T024BE7LD:U2147483697; several with commas."`
	LogFormat  string   `name:"log-format" env:"LOG_FORMAT" enum:"text,json" default:"text" help:"text or json."`
	SlackAPI   string   `name:"slack-api-url" env:"SLACK_API_URL" placeholder:"URL" help:"Another server in place of Slack's: a gateway, or a test."`
	DiscordAPI string   `name:"discord-api-url" env:"DISCORD_API_URL" placeholder:"URL" help:"Another server in place of Discord's."`
	Guilds     []string `name:"discord-guilds" env:"DISCORD_GUILDS" placeholder:"ID" help:"Discord servers to offer the commands in, and alone to do anything in, several with commas; without it, every server the bot is in."`
	Holidays   string   `name:"bank-holidays" env:"BANK_HOLIDAYS" placeholder:"FILE" help:"Bank holidays in place of those known: gov.uk's bank-holidays.json, or a day a line."`

	env  func(string) string                                                  // os.Getenv, but for tests
	dial func(ctx context.Context, network, address string) (net.Conn, error) // the network, but for tests
	now  func() time.Time                                                     // the clock, but for tests
}

const (
	// shutdownTimeout is how long work in hand may take when the program is told to end: more than one request to a platform takes.
	shutdownTimeout = 10 * time.Second
	// httpShutdownTimeout is how much of it those have whose gestures are arriving.
	httpShutdownTimeout = shutdownTimeout / 2
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
	if err := forbidCoreDumps(); err != nil {
		log.Warn("core dumps are not switched off: they would hold secrets of open surveys", "error", err)
	}
	// The collector of garbage is to know the limit of the container. Outside of one there is none.
	if limit, err := memlimit.Set(); err == nil && limit < math.MaxInt64 {
		log.Info("memory limit", "bytes", limit)
	}
	matrices, err := c.matrices()
	if err != nil {
		return err
	}
	words, err := locale.Load()
	if err != nil {
		return err
	}
	days := defaultSchedule()
	if c.Holidays != "" {
		if days, err = loadSchedule(c.Holidays); err != nil {
			return err
		}
	}
	now := c.now
	if now == nil {
		now = time.Now
	}
	// From here on it only takes patience: what somebody has to mend has been found, but for what Redis and the platforms refuse.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	v := service{log: log, cancel: cancel, people: &platforms{}, telemetry: newTelemetry(), health: newHealth(ctx.Done(), conf.platforms()...), unconnected: len(conf.platforms())}
	if c.OpsListen != "" && c.OpsListen != opsOff {
		ops, err := listen(ctx, c.OpsListen, maxOperationsConnections, operations(v.health, v.telemetry.handler()))
		if err != nil {
			return fmt.Errorf("tell how it goes at OPS_LISTEN (another process on this machine needs another address there, or none): %w", err)
		}
		defer func() { _ = ops.Close() }() // last of all, so that it tells of the end too
		go func() { _ = ops.Serve(ops.listener) }()
		log.Info("operations", "address", ops.Addr)
	}
	if conf.byHTTP() {
		if v.web, err = listen(ctx, c.Listen, maxConnections, &v.mux); err != nil {
			return err
		}
		defer func() { _ = v.web.listener.Close() }() // where it never came to serving
	}
	v.telemetry.registerReady(v.health)
	store, err := connectWithRetry(ctx, log.With("to", "redis"), func(ctx context.Context) (*redis.Store, error) {
		return connect(ctx, string(conf.Redis), (*redis.Store).RaiseSchema, redis.Observed(v.telemetry.observeRedisCall))
	})
	if err != nil {
		return shutdownErr(ctx, err)
	}
	defer func() { _ = store.Close() }() // everything was written when it was said to be
	done, err := c.journal(store)
	if err != nil {
		return err
	}
	defer func() { _ = done() }() // every line of it was synced
	if err := c.registerJournal(ctx, store, log); err != nil {
		return shutdownErr(ctx, err)
	}
	v.health.setStore(store)
	for _, w := range store.Check(ctx) {
		log.Warn("redis", "advice", w)
	}
	v.store, v.rounds = store, survey.NewRounds(store, matrices, now)
	v.telemetry.registerQueueDepth(v.rounds.Due, log)
	v.bot = bot.New(bot.Options{
		Rounds: v.rounds, Matrices: matrices, Words: words, Renderer: results.New(words), Directory: v.people, Sender: v.people,
		Claims: store, Schedule: days, Creators: conf.creators, Log: log, Now: now,
		Handled: v.telemetry.countEvent, Delivered: v.telemetry.countMessage,
	})
	v.run(ctx, &v.running, reminders.NewLoop(v.rounds, v.bot, log).Planning(reminders.NewPlanner(v.rounds, days, now, log)).Run)
	v.run(ctx, &v.running, func(ctx context.Context) error { return v.watchSchema(ctx, schemaInterval) })
	if conf.slack != nil {
		v.run(ctx, &v.arriving, func(ctx context.Context) error { return c.onSlack(ctx, conf, &v) })
	}
	if conf.discord != nil {
		v.run(ctx, &v.arriving, func(ctx context.Context) error { return c.onDiscord(ctx, conf, &v) })
	}
	<-ctx.Done()
	v.finish(ctx)
	return shutdownErr(ctx, nil)
}

// shutdownErr is what a program returns that was told to end, or that could not go on.
func shutdownErr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// noErasuresAdvice warns that erasures are noted in Redis alone.
const noErasuresAdvice = "ERASURES is not set: if Redis is lost, a restored backup brings back people who withdrew or were forgotten. " +
	"Set it to a file, and copy that file elsewhere (docs/backups.md)"

// registerJournal tells forget which journal this process adds to, or the operator that there is none.
func (c *serveCommand) registerJournal(ctx context.Context, store *redis.Store, log *slog.Logger) error {
	if c.Erasures == "" {
		log.Warn("no file of erasures", "advice", noErasuresAdvice)
		return nil
	}
	name, err := journalName(c.Erasures)
	if err != nil {
		return err
	}
	_, err = connectWithRetry(ctx, log.With("to", "redis"), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, store.RegisterJournal(ctx, name)
	})
	return err
}

// schemaInterval is how long an older process may go on writing after a newer one has begun to.
const schemaInterval = 10 * time.Second

// watchSchema ends the service when a newer program has begun to write to the store.
func (v *service) watchSchema(ctx context.Context, interval time.Duration) error {
	for {
		if err := dispatch.Sleep(ctx, interval); err != nil {
			return err
		}
		if err := v.store.CheckSchema(ctx); errors.Is(err, redis.ErrNewerSchema) {
			return err
		}
	}
}

// loadSchedule is a diary that goes by the bank holidays in a file.
func loadSchedule(path string) (*reminders.Schedule, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	calendar, err := reminders.LoadHolidays(path, f)
	if err != nil {
		return nil, fmt.Errorf("read bank holidays:\n%w", err)
	}
	return reminders.NewSchedule(calendar), nil
}

// service is what runs while the bot serves.
type service struct {
	log       *slog.Logger
	cancel    context.CancelCauseFunc // with why it cannot go on
	people    *platforms
	telemetry *telemetry
	health    *health
	store     *redis.Store
	rounds    *survey.Rounds
	bot       *bot.Bot

	mux      http.ServeMux // by HTTP, each from when its platform is connected
	web      *server       // or nil, where nothing comes by HTTP
	startWeb sync.Once     // of web

	arriving, running sync.WaitGroup // the ways in, and the rest

	mu          sync.Mutex
	unconnected int // platforms that are not connected yet
	drains      []func(context.Context) error
}

// run does something until the context ends, or ends the service when it cannot go on.
func (v *service) run(ctx context.Context, group *sync.WaitGroup, do func(context.Context) error) {
	group.Go(func() {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			v.cancel(err)
		}
	})
}

// addPlatform takes in a platform that is connected, before anything comes from it.
func (v *service) addPlatform(name string, on platform, drain func(context.Context) error) {
	v.people.add(name, on)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drains = append(v.drains, drain)
	v.log.Info("connected", "platform", name)
	if v.unconnected--; v.unconnected == 0 {
		v.log.Info("serving")
	}
}

// mount lets a platform in by HTTP.
func (v *service) mount(ctx context.Context, platform string, handler http.Handler, paths ...string) {
	for _, p := range paths {
		v.mux.Handle(p, handler)
	}
	v.startWeb.Do(func() {
		v.log.Info("listening", "address", v.web.Addr)
		v.run(ctx, &v.arriving, v.web.run)
	})
	v.health.setConnected(platform, true)
}

// onSlack connects to Slack, and takes what comes from there.
func (c *serveCommand) onSlack(ctx context.Context, conf config, v *service) error {
	log := v.log.With("platform", slack.Platform)
	adapter, err := connectWithRetry(ctx, log, func(ctx context.Context) (*slack.Slack, error) {
		return slack.New(ctx, slack.Options{
			Token: conf.slack.Bot, AppToken: conf.slack.App, SigningSecret: conf.slack.Signing, APIURL: c.SlackAPI, Responder: v.bot, Log: log, Dial: c.dial,
			Observer: v.telemetry.observerFor(slack.Platform, conf.slack.socket(), v.health),
		})
	})
	if err != nil {
		return fmt.Errorf("connect to Slack: %w", err)
	}
	v.addPlatform(slack.Platform, adapter, adapter.Drain)
	if !conf.slack.socket() {
		v.mount(ctx, slack.Platform, adapter.Handler(), "/slack", "/slack/")
		return nil
	}
	if err := adapter.RunSocket(ctx); err != nil {
		return fmt.Errorf("serve Slack: %w", err)
	}
	return nil
}

// onDiscord connects to Discord, offers the commands, and takes what comes from there.
func (c *serveCommand) onDiscord(ctx context.Context, conf config, v *service) error {
	log := v.log.With("platform", discord.Platform)
	adapter, err := connectWithRetry(ctx, log, func(ctx context.Context) (*discord.Discord, error) {
		adapter, err := discord.New(ctx, discord.Options{
			Token: conf.discord.Token, PublicKey: conf.discord.Key, Guilds: conf.guilds, APIURL: c.DiscordAPI, Responder: v.bot,
			Claims: v.store, Suggest: v.bot.Suggest, ConsentsToDM: consentsToDM(v.rounds), Log: log, Dial: c.dial,
			Observer: v.telemetry.observerFor(discord.Platform, conf.discord.gateway(), v.health),
		})
		if err != nil {
			return nil, fmt.Errorf("connect to Discord: %w", err)
		}
		if err := adapter.Register(ctx); err != nil {
			return nil, fmt.Errorf("offer the commands in Discord: %w", err)
		}
		return adapter, nil
	})
	if err != nil {
		return err
	}
	v.addPlatform(discord.Platform, adapter, adapter.Drain)
	if !conf.discord.gateway() {
		v.mount(ctx, discord.Platform, adapter.Handler(), "/discord")
		return nil
	}
	if err := adapter.RunGateway(ctx); err != nil {
		return fmt.Errorf("serve Discord: %w", err)
	}
	return nil
}

// finish first lets nothing more in, so that what has arrived is still taken and acknowledged, and ends what is in hand.
func (v *service) finish(ctx context.Context) {
	v.log.Info("ending", "patience", shutdownTimeout)
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer stop()
	shut, stopped := context.WithTimeout(end, httpShutdownTimeout)
	unfinished := dispatch.Wait(shut, &v.arriving)
	stopped()
	v.mu.Lock()
	drains := v.drains
	v.mu.Unlock()
	for _, drain := range drains {
		unfinished = errors.Join(unfinished, drain(end))
	}
	unfinished = errors.Join(unfinished, dispatch.Wait(end, &v.running))
	if unfinished != nil {
		v.log.Error("ended with work in hand", "error", unfinished)
	}
}

// agreed says whether somebody has begun a survey or coordinates one, and may so be written to on a platform where bots write to nobody unasked.
func consentsToDM(rounds *survey.Rounds) func(context.Context, chat.Person) (bool, error) {
	return func(ctx context.Context, p chat.Person) (bool, error) {
		seats, err := rounds.RoundsOf(ctx, survey.PersonID(p.String()))
		if err != nil {
			return false, err
		}
		for _, s := range seats {
			if s.Member.TakesPart() || slices.Contains(s.Round.Coordinators, survey.PersonID(p.String())) {
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

func listen(ctx context.Context, address string, most int, handler http.Handler) (*server, error) {
	if address == "" { // would be a random port of all interfaces
		return nil, errors.New("listen for requests: no address")
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for requests: %w", err)
	}
	return &server{listener: l, Server: &http.Server{
		Addr: l.Addr().String(), Handler: closeUnlessSigned(handler),
		// Both platforms send at once and hang up after three seconds: whoever takes longer is somebody else.
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: headerBytes - 4<<10, ConnState: newConnections(most).track,
	}}, nil
}

func (s *server) run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(s.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
		end, stop := context.WithTimeout(context.WithoutCancel(ctx), httpShutdownTimeout)
		defer stop()
		if s.Shutdown(end) != nil {
			return s.Close() // whoever is still sending is neither Slack nor Discord
		}
		return nil
	}
}
