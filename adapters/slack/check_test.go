package slack

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
)

// anHourAhead is a transport to a Slack whose clock is an hour ahead.
type anHourAhead struct{ http.RoundTripper }

func (a anHourAhead) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := a.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Header.Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
	}
	return answer, err
}

func TestCheck(t *testing.T) {
	w := stage(t, func(context.Context, chat.Event) []chat.Reply { return nil })
	got, err := w.slack.Check(t.Context())
	if err != nil || !got.ScopesUnknown || len(got.Missing) > 0 || got.Workspace != "Fake" || got.Team != fake.Team || got.Bot != "maturity" {
		t.Errorf("scopes untold: %+v, %v", got, err)
	}
	if got.Ahead.Abs() > 10*time.Second {
		t.Errorf("Slack's clock is %v ahead", got.Ahead)
	}
	w.slack.client.http.Transport = anHourAhead{w.slack.client.http.Transport}
	if got, err := w.slack.Check(t.Context()); err != nil || (got.Ahead-time.Hour).Abs() > 10*time.Second {
		t.Errorf("Slack's clock is %v ahead, %v", got.Ahead, err)
	}
	all := slices.Clone(Scopes)
	w.Scopes(append(all, "identify")...) // what the manifest does not ask for does no harm
	if got, err := w.slack.Check(t.Context()); err != nil || got.ScopesUnknown || len(got.Missing) > 0 {
		t.Errorf("every scope: %+v, %v", got, err)
	}
	w.Scopes("commands", "files:write")
	if got, err := w.slack.Check(t.Context()); err != nil || len(got.Missing) != len(all)-2 || slices.Contains(got.Missing, "commands") {
		t.Errorf("two scopes: %+v, %v", got, err)
	}
	if err := w.slack.CheckSocket(t.Context()); err != nil {
		t.Errorf("socket: %v", err)
	}
	w.Fail("apps.connections.open", fake.Fault{Error: "missing_scope"}, fake.Fault{Error: "forbidden_team"})
	if err := w.slack.CheckSocket(t.Context()); !errors.Is(err, errAppToken) {
		t.Errorf("an app token without its scope: %v", err)
	}
	if err := w.slack.CheckSocket(t.Context()); err == nil || errors.Is(err, errAppToken) || !strings.Contains(err.Error(), "forbidden_team") {
		t.Errorf("another refusal: %v", err)
	}
}
