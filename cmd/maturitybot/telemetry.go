package main

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"maturitybot/bot"
)

// telemetry is what an operator's Prometheus reads. It names no round and no person.
type telemetry struct {
	registry  *prometheus.Registry
	delivered *prometheus.CounterVec
}

// newTelemetry makes the telemetry; due counts the messages that wait to be sent, in all processes together.
func newTelemetry(due func(context.Context) (int, error), log *slog.Logger) *telemetry {
	m := &telemetry{
		registry: prometheus.NewRegistry(),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "maturitybot_messages_total",
			Help: "Messages that were owed (invitations, reminders, posts) and taken care of by this process, by kind and by what came of it; after later and failed they are still owed.",
		}, []string{"kind", "outcome"}),
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "maturitybot_messages_due",
		Help: "Messages that are due and that no process has in hand. NaN while Redis is away.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), scrape)
		defer cancel()
		n, err := due(ctx)
		if err != nil {
			log.Error("cannot count what is due", "error", err)
			return math.NaN()
		}
		return float64(n)
	})
	m.registry.MustRegister(m.delivered, waiting, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// scrape is how long Redis may take while metrics are read.
const scrape = 2 * time.Second

func (m *telemetry) count(came bot.Delivered) {
	m.delivered.WithLabelValues(string(came.Kind), string(came.Outcome)).Inc()
}

// handler serves the metrics at /metrics.
func (m *telemetry) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4}))
	return mux
}
