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

// namespace is the prefix of every metric's name.
const namespace = "maturitybot"

// telemetry holds the metrics that Prometheus reads. Every label has few values, which are known in
// advance: none names a round, a person, a place or a key.
type telemetry struct {
	registry      *prometheus.Registry
	events        *prometheus.CounterVec
	handling      *prometheus.HistogramVec
	acknowledging *prometheus.HistogramVec
	messages      *prometheus.CounterVec
	lateness      *prometheus.HistogramVec
	calls         *prometheus.HistogramVec
	callErrors    *prometheus.CounterVec
	waits         *prometheus.CounterVec
	waitSeconds   *prometheus.CounterVec
	connections   *prometheus.GaugeVec
}

func newTelemetry() *telemetry {
	// Both platforms give up after 3 seconds. The bot acknowledges within 2.
	platformBuckets := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 1.5, 2, 2.5, 3, 5, 10, 30}
	latenessBuckets := []float64{10, 60, 120, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600}
	redisBuckets := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 3}
	m := &telemetry{
		registry: prometheus.NewRegistry(),
		events: newCounter("events_total",
			"Things people did, by action and outcome: ok, refused (the reply said why), "+
				"unavailable (no connection to Redis) or failed.",
			"verb", "outcome"),
		handling: newHistogram("handling_seconds",
			"Time the bot took to handle an event, without sending the reply.",
			"platform", platformBuckets),
		acknowledging: newHistogram("acknowledgement_seconds",
			"Time from the arrival of an event to its acknowledgement. After three seconds the "+
				"platform tells people that the bot does not respond.",
			"platform", platformBuckets),
		messages: newCounter("messages_total",
			"Queued messages (invitations, reminders, posts) that this process handled, by kind "+
				"and outcome. After later and failed they are still queued.",
			"kind", "outcome"),
		lateness: newHistogram("message_lateness_seconds",
			"Delay between the planned time of a message, or of a close, and the time it "+
				"happened. Messages without a planned time (invitations) are not counted.",
			"kind", latenessBuckets),
		calls: newHistogram("redis_call_seconds",
			"Duration of a Redis call, retries included, by script or command.",
			"operation", redisBuckets),
		callErrors: newCounter("redis_errors_total", "Redis calls that failed.", "operation"),
		waits: newCounter("platform_waits_total",
			"Number of times the platform asked to wait (rate limits).", "platform"),
		waitSeconds: newCounter("platform_wait_seconds_total",
			"Total time the platform asked to wait.", "platform"),
		connections: newGauge("connections",
			"Open connections over which the platform delivers events: Slack's sockets and "+
				"Discord's gateway. Not reported where the platform delivers by HTTP.",
			"platform"),
	}
	m.registry.MustRegister(
		m.events, m.handling, m.acknowledging, m.messages, m.lateness,
		m.calls, m.callErrors, m.waits, m.waitSeconds, m.connections,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	m.initSeries()
	return m
}

func newCounter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(
		prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func newGauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(
		prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func newHistogram(name, help, label string, buckets []float64) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, Buckets: buckets,
	}, []string{label})
}

// initSeries creates every series whose labels are known in advance, with the value 0. Prometheus
// sees no increase in a series that begins with 1.
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
		if kind != survey.Invitation { // an invitation has no time in a plan
			m.lateness.WithLabelValues(string(kind))
		}
	}
	for _, script := range redis.Scripts() {
		m.calls.WithLabelValues(script)
		m.callErrors.WithLabelValues(script)
	}
}

// scrapeTimeout bounds the calls of Redis when Prometheus reads the metrics.
const scrapeTimeout = 2 * time.Second

// registerGauge registers a gauge that read computes, within scrapeTimeout, each time Prometheus
// reads it. read returns NaN where it cannot compute the value.
func (m *telemetry) registerGauge(name, help string, read func(context.Context) float64) {
	options := prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}
	m.registry.MustRegister(prometheus.NewGaugeFunc(options, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		return read(ctx)
	}))
}

// registerReady registers the gauge that says whether the process is ready.
func (m *telemetry) registerReady(h *health) {
	read := func(ctx context.Context) float64 {
		if _, ready := h.report(ctx); ready {
			return 1
		}
		return 0
	}
	m.registerGauge("ready", "1 if /readyz reports that all parts are ready, else 0.", read)
}

// registerQueueDepth registers the gauge of queued messages that are due, which due counts in all
// processes together.
func (m *telemetry) registerQueueDepth(due func(context.Context) (int, error), log *slog.Logger) {
	read := func(ctx context.Context) float64 {
		n, err := due(ctx)
		if err != nil {
			log.Error("cannot count due messages", "error", err)
			return math.NaN()
		}
		return float64(n)
	}
	m.registerGauge("messages_due",
		"Messages that are due and not leased by a process. NaN without a connection to Redis.", read)
}

// countEvent counts an event by its outcome, and records how long the bot took to handle it.
func (m *telemetry) countEvent(h bot.Handled) {
	m.events.WithLabelValues(h.Verb, string(h.Outcome)).Inc()
	m.handling.WithLabelValues(h.Platform).Observe(h.Took.Seconds())
}

// countMessage counts a queued message by its outcome, and records how late it was.
func (m *telemetry) countMessage(d bot.Delivered) {
	m.messages.WithLabelValues(string(d.Kind), string(d.Outcome)).Inc()
	if d.Late >= 0 && (d.Outcome == bot.Sent || d.Outcome == bot.Closed) {
		m.lateness.WithLabelValues(string(d.Kind)).Observe(d.Late.Seconds())
	}
}

// observeRedisCall records how long a call of Redis took, and counts it if it failed.
func (m *telemetry) observeRedisCall(operation string, took time.Duration, failed bool) {
	m.calls.WithLabelValues(operation).Observe(took.Seconds())
	// The series is created with the first call, so that it begins with 0.
	if failures := m.callErrors.WithLabelValues(operation); failed {
		failures.Inc()
	}
}

// observer records the metrics of one platform, and tells health whether it is connected.
type observer struct {
	acknowledging prometheus.Observer
	waits         prometheus.Counter
	waitSeconds   prometheus.Counter
	connections   *prometheus.GaugeVec
	platform      string
	health        *health
}

var _ chat.Observer = (*observer)(nil)

// observerFor returns the observer of a platform, and creates the platform's series. hasConnections
// says whether the platform delivers over connections; only then is there a series for them.
func (m *telemetry) observerFor(platform string, hasConnections bool, h *health) *observer {
	o := &observer{
		acknowledging: m.acknowledging.WithLabelValues(platform),
		waits:         m.waits.WithLabelValues(platform),
		waitSeconds:   m.waitSeconds.WithLabelValues(platform),
		connections:   m.connections,
		platform:      platform,
		health:        h,
	}
	m.handling.WithLabelValues(platform)
	if hasConnections {
		o.Connected(0)
	}
	return o
}

// Acknowledged records how long an event waited for its acknowledgement.
func (o *observer) Acknowledged(took time.Duration) { o.acknowledging.Observe(took.Seconds()) }

// Limited records that the platform limits the rate, and how long it asks to wait.
func (o *observer) Limited(wait time.Duration) {
	o.waits.Inc()
	o.waitSeconds.Add(wait.Seconds())
}

// Connected records how many connections are up. The platform is ready with one.
func (o *observer) Connected(up int) {
	o.connections.WithLabelValues(o.platform).Set(float64(up))
	o.health.setConnected(o.platform, up > 0)
}

// handler returns a handler that serves the metrics to Prometheus.
func (m *telemetry) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry: m.registry, MaxRequestsInFlight: 4,
	})
}
