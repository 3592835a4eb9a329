package server

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"maturitybot/adapters/redis"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// telemetry holds the metrics that Prometheus reads. Every label has few values, which are known
// beforehand: none names a round, a person, a place or a key.
type telemetry struct {
	registry                *prometheus.Registry
	events, messages        *prometheus.CounterVec
	handling, acknowledging *prometheus.HistogramVec
	late                    *prometheus.HistogramVec
	calls                   *prometheus.HistogramVec
	callErrors              *prometheus.CounterVec
	waits, waited           *prometheus.CounterVec
	connections             *prometheus.GaugeVec
}

func newTelemetry() *telemetry {
	// Both platforms give up after three seconds; the bot acknowledges after two at the latest.
	platformSeconds := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 1.5, 2, 2.5, 3, 5, 10, 30}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "maturitybot", Name: name, Help: help}, labels)
	}
	histogram := func(name, help, label string, buckets []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "maturitybot", Name: name, Help: help, Buckets: buckets}, []string{label})
	}
	m := &telemetry{
		registry: prometheus.NewRegistry(),
		events: counter("events_total", "Things people did, by what they asked for and by what came of it: ok, refused (they were told why not), unavailable (Redis was away) or failed.",
			"verb", "outcome"),
		handling: histogram("handling_seconds", "How long the bot took over a thing that somebody did, without the sending of the reply.", "platform", platformSeconds),
		acknowledging: histogram("acknowledgement_seconds", "How long a thing that somebody did waited for its acknowledgement since it arrived. After three seconds the platform tells people that the bot does not answer.",
			"platform", platformSeconds),
		messages: counter("messages_total", "Messages that were owed (invitations, reminders, posts) and taken care of by this process, by kind and by what came of it; after later and failed they are still owed.",
			"kind", "outcome"),
		late: histogram("message_lateness_seconds", "How long after its time in the plan a message was sent, or a survey closed. What is due as soon as somebody asks for it (invitations) is not counted.",
			"kind", []float64{10, 60, 120, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600}),
		calls: histogram("redis_call_seconds", "How long a call of Redis took, tries made again included, by script or command.", "operation",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 3}),
		callErrors:  counter("redis_errors_total", "Calls of Redis that failed.", "operation"),
		waits:       counter("platform_waits_total", "How often the platform asked to wait (a rate limit).", "platform"),
		waited:      counter("platform_wait_seconds_total", "For how long the platform asked to wait.", "platform"),
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "maturitybot", Name: "connections", Help: "Connections over which the platform delivers: sockets of Slack, Discord's gateway. Where it delivers by HTTP there is no such figure."}, []string{"platform"}),
	}
	m.registry.MustRegister(m.events, m.handling, m.acknowledging, m.messages, m.late, m.calls, m.callErrors, m.waits, m.waited, m.connections,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	m.initSeries()
	return m
}

// initSeries makes every series whose labels are known beforehand, so that each is there with 0 before it first
// counts. Prometheus sees no increase in a series that begins with 1.
func (m *telemetry) initSeries() {
	for _, verb := range bot.Verbs() {
		for _, o := range bot.EventOutcomes {
			m.events.WithLabelValues(verb, string(o))
		}
	}
	for _, kind := range survey.MessageKinds {
		for _, o := range bot.MessageOutcomes {
			m.messages.WithLabelValues(string(kind), string(o))
		}
		if kind != survey.Invitation { // which has no time in a plan
			m.late.WithLabelValues(string(kind))
		}
	}
	for _, script := range redis.Scripts() {
		m.calls.WithLabelValues(script)
		m.callErrors.WithLabelValues(script)
	}
}

// scrapeTimeout is how long Redis may take while metrics are read.
const scrapeTimeout = 2 * time.Second

// gauge registers a gauge that is computed when it is read, within scrapeTimeout. NaN means that it
// cannot be computed.
func (m *telemetry) gauge(name, help string, read func(context.Context) float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "maturitybot", Name: name, Help: help}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		return read(ctx)
	}))
}

// registerReady registers the gauge that says whether the process is ready.
func (m *telemetry) registerReady(h *health) {
	m.gauge("ready", "1 while /readyz says that everything is there, else 0.", func(ctx context.Context) float64 {
		if _, ready := h.report(ctx); ready {
			return 1
		}
		return 0
	})
}

// registerQueueDepth registers the gauge of messages that are due, in all processes together.
func (m *telemetry) registerQueueDepth(due func(context.Context) (int, error), log *slog.Logger) {
	m.gauge("messages_due", "Messages that are due and that no process has in hand. NaN while Redis is away.", func(ctx context.Context) float64 {
		n, err := due(ctx)
		if err != nil {
			log.Error("cannot count what is due", "error", err)
			return math.NaN()
		}
		return float64(n)
	})
}

// countEvent counts an event.
func (m *telemetry) countEvent(h bot.Handled) {
	m.events.WithLabelValues(h.Verb, string(h.Outcome)).Inc()
	m.handling.WithLabelValues(h.Platform).Observe(h.Took.Seconds())
}

// countMessage counts the outcome of a queued message.
func (m *telemetry) countMessage(d bot.Delivered) {
	m.messages.WithLabelValues(string(d.Kind), string(d.Outcome)).Inc()
	if d.Late >= 0 && (d.Outcome == bot.Sent || d.Outcome == bot.Closed) {
		m.late.WithLabelValues(string(d.Kind)).Observe(d.Late.Seconds())
	}
}

// observeRedisCall counts a call of Redis.
func (m *telemetry) observeRedisCall(operation string, took time.Duration, failed bool) {
	m.calls.WithLabelValues(operation).Observe(took.Seconds())
	if errors := m.callErrors.WithLabelValues(operation); failed {
		errors.Inc()
	}
}

// observer is told how one platform fares.
type observer struct {
	acknowledging prometheus.Observer
	waits, waited prometheus.Counter
	connections   *prometheus.GaugeVec
	platform      string
	health        *health
}

var _ chat.Observer = (*observer)(nil)

// observerFor returns the observer of a platform, and initialises its series; those of connections only
// where the platform delivers over connections.
func (m *telemetry) observerFor(platform string, connects bool, h *health) *observer {
	o := &observer{
		acknowledging: m.acknowledging.WithLabelValues(platform), waits: m.waits.WithLabelValues(platform), waited: m.waited.WithLabelValues(platform),
		connections: m.connections, platform: platform, health: h,
	}
	m.handling.WithLabelValues(platform)
	if connects {
		o.Connected(0)
	}
	return o
}

// Acknowledged counts an acknowledgement.
func (o *observer) Acknowledged(took time.Duration) { o.acknowledging.Observe(took.Seconds()) }

// Limited counts a wait.
func (o *observer) Limited(wait time.Duration) {
	o.waits.Inc()
	o.waited.Add(wait.Seconds())
}

// Connected notes how many connections are up. One is enough to be ready.
func (o *observer) Connected(up int) {
	o.connections.WithLabelValues(o.platform).Set(float64(up))
	o.health.setConnected(o.platform, up > 0)
}

// handler serves the metrics.
func (m *telemetry) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4})
}
