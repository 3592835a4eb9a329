package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"
)

// AppInfo is what Slack tells of the app whose bot token this is.
type AppInfo struct {
	Workspace string // its name
	Team      string // its id
	Bot       string // the bot's name
	// Missing are the scopes of the manifest that the app was not granted. ScopesUnknown says that
	// Slack did not tell which scopes were granted.
	Missing       []string
	ScopesUnknown bool
	// Ahead is by how much Slack's clock, which tells whole seconds, is ahead of this machine's, or
	// zero if it is unknown.
	Ahead time.Duration
}

// Check asks Slack for the app's name, workspace, scopes and clock.
func (s *Slack) Check(ctx context.Context) (AppInfo, error) {
	var who *slackgo.AuthTestResponse
	err := s.client.call(ctx, "auth.test", true, func(ctx context.Context) (err error) {
		who, err = s.client.api.AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return AppInfo{}, fmt.Errorf("ask Slack whose the bot token is: %w", err)
	}
	info := AppInfo{Workspace: who.Team, Team: who.TeamID, Bot: who.User}
	if at, err := http.ParseTime(who.Header.Get("Date")); err == nil {
		info.Ahead = time.Until(at)
	}
	separates := func(r rune) bool { return r == ',' || r == ' ' }
	granted := strings.FieldsFunc(who.Header.Get("X-OAuth-Scopes"), separates)
	info.ScopesUnknown = len(granted) == 0
	for _, scope := range Scopes {
		if !info.ScopesUnknown && !slices.Contains(granted, scope) {
			info.Missing = append(info.Missing, scope)
		}
	}
	return info, nil
}

// CheckSocket asks Slack for the address of a connection by Socket Mode, and makes none. Its error
// says what to change, if that is known.
func (s *Slack) CheckSocket(ctx context.Context) error {
	api := slackgo.New("", slackgo.OptionAppLevelToken(string(s.options.AppToken)),
		slackgo.OptionAPIURL(s.client.base.String()), slackgo.OptionHTTPClient(s.client.http))
	err := s.client.call(ctx, "apps.connections.open", true, func(ctx context.Context) error {
		_, address, err := api.StartSocketModeContext(ctx)
		if err == nil && address == "" {
			err = errors.New("slack gives no address")
		}
		return err
	})
	switch code(err) {
	case "invalid_auth", "not_authed", "token_revoked", "account_inactive",
		"not_allowed_token_type", "missing_scope", "no_permission":
		return fmt.Errorf("%w: %w", errAppToken, err)
	}
	return err
}
