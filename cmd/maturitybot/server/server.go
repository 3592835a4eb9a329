// Package server runs the bot as a service. It connects to Redis and to the chat platforms, passes
// events from the platforms to the bot, sends queued messages when they are due, and offers health
// checks and metrics to the operator.
//
// It does not know the command line or the environment, which cmd/maturitybot reads into a Config,
// and decides nothing by the name of a platform. It does not know the rules of a survey either: they
// are in package survey, and the conversation is in package bot.
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
	"maturitybot/adapters/poster"
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

// Config is a complete configuration for Run.
type Config struct {
	// OpenStore connects to Redis and checks the schema. Run retries it while Redis is unavailable.
	OpenStore func(context.Context, ...redis.Option) (*redis.Store, error)
	// KeepJournal makes the store write its erasures to a file until done is called, and returns
	// the journal's name. It is nil where the operator configured no file.
	KeepJournal func(*redis.Store) (name string, done func() error, err error)

	Platforms []Platform
	Web       *Web // nil for no pages

	Listen    string // address for the requests of platforms that deliver by HTTP
	OpsListen string // address of /healthz, /readyz and /metrics, or empty for none

	Matrices matrix.List
	Schedule *reminders.Schedule
	Creators []chat.Person // people who can start rounds, besides the platform's admins
	// AssessmentRetention is how long an assessment is kept after its last change; 0 is
	// survey.DefaultAssessmentRetention.
	AssessmentRetention time.Duration
	Log                 *slog.Logger

	Dial func(ctx context.Context, network, address string) (net.Conn, error) // nil for the network
	Now  func() time.Time                                                     // nil for time.Now
}

// Platform is a chat platform to connect to.
type Platform struct {
	Name  string // name in ids, logs and metrics, such as slack
	Title string // name that users know, such as Slack
	platform.Config
}

// names returns the names of the platforms, and of the pages.
func (c *Config) names() []string {
	var names []string
	if c.Web != nil {
		names = append(names, survey.WebPlatform)
	}
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
	// shutdownTimeout bounds the end of the work in progress. A request to a platform takes less.
	// Closing the store may take two seconds more.
	shutdownTimeout = 10 * time.Second
	// receiveTimeout is the part of shutdownTimeout for the goroutines that receive events.
	receiveTimeout = shutdownTimeout / 2
)

// Run serves until the context ends. It returns nil on a normal shutdown, and otherwise the reason
// why it cannot serve. While Redis or a platform is unavailable, it retries.
func Run(ctx context.Context, c Config) error {
	if c.Now == nil {
		c.Now = time.Now
	}
	log := c.Log
	if err := forbidCoreDumps(); err != nil {
		log.Warn("core dumps are on: they could contain secrets of open surveys",
			"error", err)
	}
	// Outside a container there is no limit.
	if limit, err := memlimit.Set(); err == nil && limit < math.MaxInt64 {
		log.Info("memory limit", "bytes", limit)
	}
	words := sync.OnceValue(locale.New)
	go words() // while the store is connected
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	v := &service{
		Config: c, log: log, cancel: cancel, people: &platforms{}, telemetry: newTelemetry(),
		health: newHealth(ctx.Done(), c.names()...), unconnected: len(c.Platforms),
	}
	closeOperations, err := v.serveOperations(ctx)
	if err != nil {
		return err
	}
	defer closeOperations() // last, so that it answers during shutdown
	if UsesHTTP(c.Platforms) || c.Web.Shares(c.Listen) {
		if v.web, err = listen(ctx, c.Listen, maxConnections, log, &v.mux); err != nil {
			return err
		}
		defer func() { _ = v.web.listener.Close() }() // needed where no platform was connected
	}
	v.telemetry.registerReady(v.health)
	openStore := func(ctx context.Context) (*redis.Store, error) {
		return c.OpenStore(ctx, redis.Observed(v.telemetry.observeRedisCall))
	}
	store, err := connectWithRetry(ctx, log.With("to", "redis"), openStore)
	if err != nil {
		return shutdownErr(ctx, err)
	}
	defer func() { _ = store.Close() }() // every answer was written before it was confirmed
	closeJournal, err := v.keepJournal(ctx, store)
	defer closeJournal()
	if err != nil {
		return err
	}
	v.health.setStore(store)
	for _, w := range store.Check(ctx) {
		log.Warn("unsafe Redis setting", "advice", w)
	}
	if err := v.start(ctx, store, words()); err != nil {
		return shutdownErr(ctx, err)
	}
	<-ctx.Done()
	v.finish(ctx)
	return shutdownErr(ctx, nil)
}

// serveOperations serves health checks and metrics, if an address is configured for them, until the
// returned function is called.
func (v *service) serveOperations(ctx context.Context) (stop func(), err error) {
	if v.OpsListen == "" {
		return func() {}, nil
	}
	handler := operations(v.health, v.telemetry.handler())
	ops, err := listen(ctx, v.OpsListen, maxOperationsConnections, v.log, handler)
	if err != nil {
		return nil, fmt.Errorf("serve health checks at OPS_LISTEN (a second process on this "+
			"machine needs another address, or OPS_LISTEN=off): %w", err)
	}
	go func() { _ = ops.Serve(ops.listener) }()
	v.log.Info("health checks and metrics", "address", ops.Addr)
	return func() { _ = ops.Close() }, nil
}

// keepJournal makes the store write its erasures to the configured file, until the returned
// function is called. That function is never nil.
func (v *service) keepJournal(ctx context.Context, store *redis.Store) (stop func(), err error) {
	if v.KeepJournal == nil {
		v.log.Warn("no file of erasures", "advice", NoErasuresAdvice)
		return func() {}, nil
	}
	name, done, err := v.KeepJournal(store)
	if err != nil {
		return func() {}, err
	}
	stop = func() { _ = done() } // every line was synced before
	if err := registerJournal(ctx, store, name, v.log); err != nil {
		return stop, shutdownErr(ctx, err)
	}
	return stop, nil
}

// start builds the bot on the store, and starts the goroutines that run until the context ends. It
// returns survey.ErrMatrixChanged, and starts nothing, if a matrix changed under rounds that use it.
func (v *service) start(ctx context.Context, store *redis.Store, words *locale.Words) error {
	v.store, v.rounds = store, survey.NewRounds(store, v.Matrices, v.Now)
	webURL := ""
	if v.Web != nil {
		webURL = v.Web.URL.String()
		v.rounds.UseLinkKeys(v.Web.Keys)
	}
	if v.AssessmentRetention > 0 {
		v.rounds.KeepAssessments(v.AssessmentRetention)
	}
	switch err := v.rounds.System().CheckMatrices(ctx); {
	case errors.Is(err, survey.ErrMatrixChanged):
		return err
	case err != nil:
		v.log.Warn("cannot compare the matrices with the rounds", "error", err)
	}
	v.telemetry.registerQueueDepth(v.rounds.System().Due, v.log)
	v.bot = bot.New(bot.Options{Rounds: v.rounds, Tools: bot.Tools{
		Matrices: v.Matrices, Words: words, Renderer: resultfiles.New(words), Posters: poster.New(),
		WebURL:    webURL,
		Directory: v.people, Sender: v.people, Claims: store, Schedule: v.Schedule,
		Creators: v.Creators, Log: v.log, Now: v.Now,
		Handled: v.telemetry.countEvent, Delivered: v.telemetry.countMessage,
	}})
	planner := reminders.NewPlanner(v.rounds.System(), v.Schedule, v.Now, v.log)
	if len(v.Platforms) > 0 { // a process that only serves pages can send no message
		loop := reminders.NewLoop(v.rounds.System(), v.bot, v.log).Planning(planner)
		v.run(ctx, &v.running, loop.Run)
	}
	v.run(ctx, &v.running, func(ctx context.Context) error {
		return v.watchSchema(ctx, schemaInterval)
	})
	if v.Web != nil {
		v.run(ctx, &v.receiving, func(ctx context.Context) error { return v.serveWeb(ctx) })
	}
	for _, p := range v.Platforms {
		v.run(ctx, &v.receiving, func(ctx context.Context) error { return v.serve(ctx, p) })
	}
	return nil
}

// shutdownErr returns nil on a normal shutdown, the cause where the service cancelled its own
// context, and err while the context has not ended.
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
const NoErasuresAdvice = "ERASURES is not set: if Redis is lost, a restored backup brings back " +
	"people who withdrew or were forgotten. Set it to a file, and copy that file elsewhere " +
	"(docs/backups.md)"

// registerJournal records in Redis which journal this process adds to, for the command forget.
func registerJournal(ctx context.Context, store *redis.Store, name string, log *slog.Logger) error {
	register := func(ctx context.Context) (struct{}, error) {
		return struct{}{}, store.RegisterJournal(ctx, name)
	}
	_, err := connectWithRetry(ctx, log.With("to", "redis"), register)
	return err
}

// schemaInterval is the interval between checks of the store's schema. An older process usually
// writes at most that long, and shutdownTimeout, after a newer one has begun to write.
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

// service is the state of one call of Run.
type service struct {
	Config
	log       *slog.Logger
	cancel    context.CancelCauseFunc // ends the service with the reason why it cannot go on
	people    *platforms
	telemetry *telemetry
	health    *health
	store     *redis.Store
	rounds    *survey.Rounds
	bot       *bot.Bot

	mux      http.ServeMux // the platforms' requests; each platform is added when it is connected
	web      *server       // nil where nothing is served by HTTP
	startWeb sync.Once

	receiving sync.WaitGroup // goroutines that receive events
	running   sync.WaitGroup // all other goroutines

	mu          sync.Mutex
	unconnected int // platforms that are not connected yet
	drains      []func(context.Context) error
}

// run calls do in a goroutine of the group. It ends the service when do fails before the context
// ends.
func (v *service) run(
	ctx context.Context, group *sync.WaitGroup, do func(context.Context) error,
) {
	group.Go(func() {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			v.cancel(err)
		}
	})
}

// addPlatform adds a connected platform. It is called before the platform's first event. Shutdown
// calls drain, which waits for the platform's unfinished work.
func (v *service) addPlatform(name string, dir directory, drain func(context.Context) error) {
	v.people.add(name, dir)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drains = append(v.drains, drain)
	v.log.Info("connected", "platform", name)
	if v.unconnected--; v.unconnected == 0 {
		v.log.Info("serving")
	}
}

// mount routes the requests at these paths to a platform's handler. The first call starts the HTTP
// server.
func (v *service) mount(
	ctx context.Context, platform string, handler http.Handler, paths ...string,
) {
	for _, p := range paths {
		v.mux.Handle(p, handler)
	}
	v.startWeb.Do(func() {
		v.log.Info("listening", "address", v.web.Addr)
		v.run(ctx, &v.receiving, v.web.run)
	})
	v.health.setConnected(platform, true)
}

// serve connects to a platform. It mounts a platform that delivers by HTTP. From any other platform
// it receives until the context ends.
func (v *service) serve(ctx context.Context, p Platform) error {
	log := v.log.With("platform", p.Name)
	paths := p.Paths()
	connect := func(ctx context.Context) (platform.Adapter, error) {
		return p.Connect(ctx, platform.Bot{
			Responder: v.bot, Spec: bot.AppSpec(v.bot.Words), Claims: v.store,
			Suggest: v.bot.Suggest, ConsentsToDM: consentsToDM(v.rounds), Log: log, Dial: v.Dial,
			Observer: v.telemetry.observerFor(p.Name, len(paths) == 0, v.health),
		})
	}
	adapter, err := connectWithRetry(ctx, log, connect)
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

// finish shuts the service down within shutdownTimeout. It first waits for the goroutines that
// receive, so that every event that has arrived is acknowledged. Then it waits for unfinished work.
func (v *service) finish(ctx context.Context) {
	v.log.Info("shutting down", "timeout", shutdownTimeout)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	receiveCtx, cancelReceive := context.WithTimeout(ctx, receiveTimeout)
	unfinished := dispatch.Wait(receiveCtx, &v.receiving)
	cancelReceive()
	v.mu.Lock()
	drains := v.drains
	v.mu.Unlock()
	for _, drain := range drains {
		unfinished = errors.Join(unfinished, drain(ctx))
	}
	unfinished = errors.Join(unfinished, dispatch.Wait(ctx, &v.running))
	if unfinished != nil {
		v.log.Error("shut down with unfinished work", "error", unfinished)
	}
}

// consentsToDM returns a function that reports whether a person has started a survey or coordinates
// one, and so consents to direct messages. Some platforms forbid bots to write without consent.
func consentsToDM(rounds *survey.Rounds) func(context.Context, chat.Person) (bool, error) {
	return func(ctx context.Context, p chat.Person) (bool, error) {
		id := survey.PersonID(p.String())
		participations, err := rounds.For(id).Participations(ctx)
		if err != nil {
			return false, err
		}
		for _, part := range participations {
			if part.Member.TakesPart() || slices.Contains(part.Round.Coordinators, id) {
				return true, nil
			}
		}
		return false, nil
	}
}
