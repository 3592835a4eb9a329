// Package server runs the bot: it connects to Redis and to the chat platforms, takes what people do
// there, sends what is due, and tells an operator how it is. cmd/maturitybot reads the command line and
// the environment into its Config.
package server

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

	"maturitybot/adapters/platform"
	"maturitybot/adapters/redis"
	"maturitybot/adapters/resultfiles"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
	"maturitybot/bot/locale"
	"maturitybot/reminders"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// Config is what Run needs, found to be complete.
type Config struct {
	// OpenStore connects to Redis and checks the schema. Run calls it again while Redis is unavailable.
	OpenStore func(context.Context, ...redis.Option) (*redis.Store, error)
	// KeepJournal makes the store write its erasures to a file until done is called, and returns the
	// journal's name. It is nil where no file was named.
	KeepJournal func(*redis.Store) (name string, done func() error, err error)

	Platforms []Platform

	Listen    string // address for requests of platforms that deliver by HTTP
	OpsListen string // address of /healthz, /readyz and /metrics, or empty for none

	Matrices []*matrix.Matrix
	Schedule *reminders.Schedule
	Creators []chat.Person // may start rounds, besides the platform's admins
	Log      *slog.Logger

	Dial func(ctx context.Context, network, address string) (net.Conn, error) // nil for the network
	Now  func() time.Time                                                     // nil for time.Now
}

// Platform is a chat platform to connect to.
type Platform struct {
	Name  string // in ids, logs and metrics
	Title string // as users know it
	platform.Config
}

// names returns the names of the platforms.
func (c *Config) names() []string {
	var names []string
	for _, p := range c.Platforms {
		names = append(names, p.Name)
	}
	return names
}

// UsesHTTP reports whether one of the platforms delivers by HTTP.
func UsesHTTP(platforms []Platform) bool {
	return slices.ContainsFunc(platforms, func(p Platform) bool { return len(p.Paths()) > 0 })
}

const (
	// shutdownTimeout bounds the end of the program. A request to a platform takes less.
	shutdownTimeout = 10 * time.Second
	// httpShutdownTimeout is the part of it in which requests that have arrived are answered.
	httpShutdownTimeout = shutdownTimeout / 2
)

// Run serves until the context ends. It returns nil on a normal shutdown, and else why it cannot serve.
// It waits for Redis and for platforms that are unavailable, and fails for what waiting does not change.
func Run(ctx context.Context, c Config) error {
	if c.Now == nil {
		c.Now = time.Now
	}
	log := c.Log
	if err := forbidCoreDumps(); err != nil {
		log.Warn("core dumps are not switched off: they would hold secrets of open surveys", "error", err)
	}
	// Outside of a container there is no limit.
	if limit, err := memlimit.Set(); err == nil && limit < math.MaxInt64 {
		log.Info("memory limit", "bytes", limit)
	}
	words, err := locale.Load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	v := &service{
		Config: c, log: log, cancel: cancel, people: &platforms{}, telemetry: newTelemetry(),
		health: newHealth(ctx.Done(), c.names()...), unconnected: len(c.Platforms),
	}
	if c.OpsListen != "" {
		ops, err := listen(ctx, c.OpsListen, maxOperationsConnections, operations(v.health, v.telemetry.handler()))
		if err != nil {
			return fmt.Errorf("tell how it goes at OPS_LISTEN (another process on this machine needs another "+
				"address there, or none): %w", err)
		}
		defer func() { _ = ops.Close() }() // last, so that it answers during shutdown
		go func() { _ = ops.Serve(ops.listener) }()
		log.Info("operations", "address", ops.Addr)
	}
	if UsesHTTP(c.Platforms) {
		if v.web, err = listen(ctx, c.Listen, maxConnections, &v.mux); err != nil {
			return err
		}
		defer func() { _ = v.web.listener.Close() }() // where it never came to serving
	}
	v.telemetry.registerReady(v.health)
	store, err := connectWithRetry(ctx, log.With("to", "redis"), func(ctx context.Context) (*redis.Store, error) {
		return c.OpenStore(ctx, redis.Observed(v.telemetry.observeRedisCall))
	})
	if err != nil {
		return shutdownErr(ctx, err)
	}
	defer func() { _ = store.Close() }() // every answer was written before it was confirmed
	if c.KeepJournal == nil {
		log.Warn("no file of erasures", "advice", NoErasuresAdvice)
	} else {
		name, done, err := c.KeepJournal(store)
		if err != nil {
			return err
		}
		defer func() { _ = done() }() // every line of it was synced
		if err := registerJournal(ctx, store, name, log); err != nil {
			return shutdownErr(ctx, err)
		}
	}
	v.health.setStore(store)
	for _, w := range store.Check(ctx) {
		log.Warn("redis", "advice", w)
	}
	v.start(ctx, store, words)
	<-ctx.Done()
	v.finish(ctx)
	return shutdownErr(ctx, nil)
}

// start builds the bot on the store, and starts what runs until the context ends.
func (v *service) start(ctx context.Context, store *redis.Store, words *locale.Words) {
	v.store, v.rounds = store, survey.NewRounds(store, v.Matrices, v.Now)
	v.telemetry.registerQueueDepth(v.rounds.System().Due, v.log)
	v.bot = bot.New(bot.Options{Rounds: v.rounds, Tools: bot.Tools{
		Matrices: v.Matrices, Words: words, Renderer: resultfiles.New(words),
		Directory: v.people, Sender: v.people, Claims: store, Schedule: v.Schedule,
		Creators: v.Creators, Log: v.log, Now: v.Now,
		Handled: v.telemetry.countEvent, Delivered: v.telemetry.countMessage,
	}})
	planner := reminders.NewPlanner(v.rounds.System(), v.Schedule, v.Now, v.log)
	v.run(ctx, &v.running, reminders.NewLoop(v.rounds.System(), v.bot, v.log).Planning(planner).Run)
	v.run(ctx, &v.running, func(ctx context.Context) error { return v.watchSchema(ctx, schemaInterval) })
	for _, p := range v.Platforms {
		v.run(ctx, &v.arriving, func(ctx context.Context) error { return v.serve(ctx, p) })
	}
}

// shutdownErr returns nil on a normal shutdown, the cause where the service cancelled itself, and err
// while the context has not ended.
func shutdownErr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// NoErasuresAdvice warns that erasures are recorded in Redis alone.
const NoErasuresAdvice = "ERASURES is not set: if Redis is lost, a restored backup brings back people who withdrew or were " +
	"forgotten. Set it to a file, and copy that file elsewhere (docs/backups.md)"

// registerJournal records in Redis which journal this process adds to, for the command forget.
func registerJournal(ctx context.Context, store *redis.Store, name string, log *slog.Logger) error {
	_, err := connectWithRetry(ctx, log.With("to", "redis"), func(ctx context.Context) (struct{}, error) {
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

// service is a run of the bot.
type service struct {
	Config
	log       *slog.Logger
	cancel    context.CancelCauseFunc // with why it cannot go on
	people    *platforms
	telemetry *telemetry
	health    *health
	store     *redis.Store
	rounds    *survey.Rounds
	bot       *bot.Bot

	mux      http.ServeMux // of requests of platforms; each is added when it is connected
	web      *server       // nil where no platform delivers by HTTP
	startWeb sync.Once

	arriving, running sync.WaitGroup // what receives, and everything else

	mu          sync.Mutex
	unconnected int // platforms that are not connected yet
	drains      []func(context.Context) error
}

// run calls do in a goroutine of the group, and ends the service when do fails before the context ends.
func (v *service) run(ctx context.Context, group *sync.WaitGroup, do func(context.Context) error) {
	group.Go(func() {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			v.cancel(err)
		}
	})
}

// addPlatform adds a platform that is connected, before anything comes from it. Shutdown calls drain,
// which waits for what the platform has in hand.
func (v *service) addPlatform(name string, on directory, drain func(context.Context) error) {
	v.people.add(name, on)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drains = append(v.drains, drain)
	v.log.Info("connected", "platform", name)
	if v.unconnected--; v.unconnected == 0 {
		v.log.Info("serving")
	}
}

// mount lets a platform deliver by HTTP at these paths.
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

// serve connects to a platform, and receives from it until the context ends.
func (v *service) serve(ctx context.Context, p Platform) error {
	log := v.log.With("platform", p.Name)
	paths := p.Paths()
	adapter, err := connectWithRetry(ctx, log, func(ctx context.Context) (platform.Adapter, error) {
		return p.Connect(ctx, platform.Bot{
			Responder: v.bot, Spec: bot.AppSpec(v.bot.Words), Claims: v.store, Suggest: v.bot.Suggest,
			ConsentsToDM: consentsToDM(v.rounds), Log: log, Dial: v.Dial,
			Observer: v.telemetry.observerFor(p.Name, len(paths) == 0, v.health),
		})
	})
	if err != nil {
		return err
	}
	v.addPlatform(p.Name, adapter, adapter.Drain)
	if len(paths) > 0 {
		v.mount(ctx, p.Name, adapter.Handler(), paths...)
		return nil
	}
	if err := adapter.Receive(ctx); err != nil {
		return fmt.Errorf("serve %s: %w", p.Title, err)
	}
	return nil
}

// finish waits up to shutdownTimeout. It first closes the ways in, so that what has arrived is still
// acknowledged, and then waits for what is in hand.
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

// consentsToDM returns a function that reports whether a person has begun a survey or coordinates one,
// and so consents to direct messages on a platform where bots may not write unasked.
func consentsToDM(rounds *survey.Rounds) func(context.Context, chat.Person) (bool, error) {
	return func(ctx context.Context, p chat.Person) (bool, error) {
		seats, err := rounds.For(survey.PersonID(p.String())).Participations(ctx)
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
