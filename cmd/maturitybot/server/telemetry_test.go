package server

import (
	"testing"

	"maturitybot/adapters/redis"
	"maturitybot/bot"
	"maturitybot/survey"
)

// TestSeriesExistFromStart makes sure that every series whose labels are known is there before it counts.
func TestSeriesExistFromStart(t *testing.T) {
	t.Parallel()
	families, err := newTelemetry().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]int{}
	for _, f := range families {
		series[f.GetName()] = len(f.GetMetric())
	}
	for name, want := range map[string]int{
		"maturitybot_events_total":             len(bot.Verbs()) * len(bot.EventOutcomes),
		"maturitybot_messages_total":           len(survey.MessageKinds) * len(bot.MessageOutcomes),
		"maturitybot_message_lateness_seconds": len(survey.MessageKinds) - 1,
		"maturitybot_redis_errors_total":       len(redis.Scripts()),
	} {
		if series[name] != want || want == 0 {
			t.Errorf("%s has %d series at the start, want %d", name, series[name], want)
		}
	}
}
