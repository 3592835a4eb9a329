package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"maturitybot/bot/chat"
)

// callbackKind is what an Events API envelope tells.
type callbackKind int

// The kinds of callbacks.
const (
	callbackIgnored     callbackKind = iota // to be acknowledged, no more
	callbackChallenge                       // url_verification: answer with challenge
	callbackUserEvent                       // a user wrote to the bot, or opened App Home
	callbackUser                            // a profile changed: user, in team
	callbackUninstalled                     // the app was uninstalled, or its token revoked, in team
	callbackLimited                         // Slack holds back events for a minute, in team
	callbackGranted                         // an organisation let the app into the workspaces teams
	callbackRevoked                         // it took that back
)

// callback is an Events API envelope, read.
type callback struct {
	kind      callbackKind
	challenge string
	inbound   inbound
	user      string
	// team is the workspace that an event is of, or empty for an event of a whole organisation,
	// which enterprise then names.
	team, enterprise string
	teams            []string
}

type envelope struct {
	Type           string          `json:"type"`
	Challenge      string          `json:"challenge"`
	Team           string          `json:"team_id"` // null in an event of a whole organisation
	Enterprise     string          `json:"enterprise_id"`
	ID             string          `json:"event_id"`
	Event          json.RawMessage `json:"event"`
	Authorizations []authorization `json:"authorizations"`
}

// innerEvent is what happened, of the types that are read. In others a field of the same name can
// be of another kind: the channel of channel_rename is an object.
type innerEvent struct {
	Type    string          `json:"type"`
	Subtype string          `json:"subtype"`
	Bot     string          `json:"bot_id"`
	User    json.RawMessage `json:"user"` // an id, or a whole profile
	Team    string          `json:"team"` // the writer's
	Channel string          `json:"channel"`
	Sort    string          `json:"channel_type"`
	At      string          `json:"ts"`
	Message string          `json:"client_msg_id"`
	Tab     string          `json:"tab"`
	Teams   []string        `json:"team_ids"`
	Tokens  struct {
		Bot []string `json:"bot"`
	} `json:"tokens"`
}

// authorization is who of the app sees an event: its bot.
type authorization struct {
	Enterprise string `json:"enterprise_id"`
	User       string `json:"user_id"`
	Bot        bool   `json:"is_bot"`
}

// decodeEvent reads an envelope of the Events API, as HTTP brings it or a socket.
func decodeEvent(payload []byte) (callback, error) {
	var in envelope
	if err := decode("event", payload, &in); err != nil {
		return callback{}, err
	}
	switch in.Type {
	case "url_verification":
		if in.Challenge == "" {
			return callback{}, errors.New("read event: no challenge")
		}
		return callback{kind: callbackChallenge, challenge: in.Challenge}, nil
	case "app_rate_limited":
		return callback{kind: callbackLimited, team: in.Team}, nil
	case "event_callback":
	default:
		return callback{}, nil
	}
	var kind struct {
		Type string `json:"type"`
	}
	if err := decode("event", in.Event, &kind); err != nil {
		return callback{}, err
	}
	out := callback{team: in.Team, enterprise: in.Enterprise}
	read, ok := readers[kind.Type]
	if !ok {
		return out, nil
	}
	var e innerEvent
	if err := decode(kind.Type, in.Event, &e); err != nil {
		return callback{}, err
	}
	return out, read(&in, &e, &out)
}

// readers read the events that the bot has a use for, by type. What they leave as it is, is
// ignored.
var readers = map[string]func(*envelope, *innerEvent, *callback) error{
	"message":         readMessage,
	"app_home_opened": readHomeOpened,
	"user_change": func(_ *envelope, e *innerEvent, out *callback) (err error) {
		out.kind = callbackUser
		out.user, err = e.userID()
		return err
	},
	"app_uninstalled":      readUninstalled,
	"app_uninstalled_team": readUninstalled,
	"tokens_revoked": func(in *envelope, e *innerEvent, out *callback) error {
		if len(e.Tokens.Bot) == 0 { // those of people are not used
			return nil
		}
		return readUninstalled(in, e, out)
	},
	"team_access_granted": func(_ *envelope, e *innerEvent, out *callback) error {
		out.kind, out.teams = callbackGranted, e.Teams
		return nil
	},
	"team_access_revoked": func(_ *envelope, e *innerEvent, out *callback) error {
		out.kind, out.teams = callbackRevoked, e.Teams
		return nil
	},
}

func readUninstalled(_ *envelope, _ *innerEvent, out *callback) error {
	out.kind = callbackUninstalled
	return nil
}

func readMessage(in *envelope, e *innerEvent, out *callback) error {
	// Everything the bot itself writes comes back, with a bot's id; edits, joins and the like have
	// a subtype.
	if e.Sort != "im" || e.Subtype != "" || e.Bot != "" {
		return nil
	}
	id, err := e.userID()
	if err != nil {
		return err
	}
	own := func(a authorization) bool { return a.Bot && a.User == id }
	if slices.ContainsFunc(in.Authorizations, own) {
		return nil
	}
	if in.Team == "" || e.Channel == "" || in.ID == "" {
		return errors.New("read message: no team, channel or id")
	}
	out.kind = callbackUserEvent
	out.inbound = in.inbound(e, chat.Message, id, e.Channel)
	out.inbound.event.At = parseTimestamp(e.At)
	if e.Message != "" { // one message was seen as two events with different ids
		out.inbound.event.ID = e.Channel + "/" + e.Message // the client of the user chooses it
	}
	return nil
}

func readHomeOpened(in *envelope, e *innerEvent, out *callback) error {
	if e.Tab != "home" {
		return nil
	}
	id, err := e.userID()
	if err != nil {
		return err
	}
	if in.Team == "" || in.ID == "" {
		return errors.New("read opening of App Home: no team or id")
	}
	out.kind = callbackUserEvent
	out.inbound = in.inbound(e, chat.Home, id, id)
	out.inbound.home = true
	return nil
}

func (in *envelope) inbound(e *innerEvent, kind chat.EventKind, id, channel string) inbound {
	who := chat.Person{Platform: Platform, Workspace: in.Team, ID: id}
	ofEnterprise := func(a authorization) bool { return a.Enterprise != "" }
	enterprise := slices.ContainsFunc(in.Authorizations, ofEnterprise)
	if !enterprise && e.Team != "" {
		who.Workspace = e.Team
	}
	foreign := who.Workspace != e.Team && e.Team != ""
	return inbound{
		event: chat.Event{
			ID: in.ID, Kind: kind, Who: who, Where: place(in.Team, channel),
			Private: true, Unverified: foreign,
		},
		origin: origin{Channel: channel, Private: true},
	}
}

// userID is the id of the person the event is about, in either form.
func (e *innerEvent) userID() (string, error) {
	var id string
	if json.Unmarshal(e.User, &id) == nil && id != "" {
		return id, nil
	}
	var whole user
	if json.Unmarshal(e.User, &whole) == nil && whole.ID != "" {
		return whole.ID, nil
	}
	return "", fmt.Errorf("read event %q: no user", e.Type)
}
