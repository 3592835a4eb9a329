package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/bot/chat"
)

// errForeign says that a payload is well formed and not for us: another app's component, or a
// kind of event that the bot does not use. It is acknowledged and ignored.
var errForeign = errors.New("not one of ours")

// Bounds on what is read. A view has at most 250 KB (docs.slack.dev/surfaces/modals), and a message
// 50 blocks: nothing that Slack sends of ours comes near maxPayload.
const (
	maxPayload = 1 << 20
	maxFields  = maxHomeBlocks
	maxValues  = 1000  // of one field
	maxCommand = 12000 // characters that fit Slack's message box
)

// callbackKind is what an Events API envelope tells.
type callbackKind int

// The kinds of callbacks.
const (
	callbackIgnored     callbackKind = iota // to be acknowledged, no more
	callbackChallenge                       // url_verification: answer with challenge
	callbackGesture                         // a user wrote to the bot, or opened App Home
	callbackUser                            // a profile changed: user, in team
	callbackUninstalled                     // the app was uninstalled, or its bot token revoked, in team
	callbackLimited                         // Slack holds back events for a minute, in team
	callbackGranted                         // an organisation let the app into the workspaces teams
	callbackRevoked                         // it took that back
)

// callback is an Events API envelope, read.
type callback struct {
	kind      callbackKind
	challenge string
	gesture   inbound
	user      string
	// team is the workspace that an event is of, or empty for an event of a whole organisation,
	// which enterprise then names.
	team, enterprise string
	teams            []string
}

// The payloads below name only what is read: decoding into slack-go's types takes six times as
// long.

type user struct {
	ID   string `json:"id"`
	Team string `json:"team_id"`
}

type optionValue struct {
	Value string `json:"value"`
}

// element is a component with what was done to it: what it holds goes by its type. Each is decoded
// by itself, so that one of a type that Slack adds, whose fields may have other forms, does not
// keep the rest from being read.
type element struct {
	Type         string        `json:"type"`
	ID           string        `json:"action_id"`
	At           string        `json:"action_ts"`
	Value        string        `json:"value"`
	Option       *optionValue  `json:"selected_option"`
	Options      []optionValue `json:"selected_options"`
	Date         string        `json:"selected_date"`
	Time         string        `json:"selected_time"`
	Users        []string      `json:"selected_users"`
	Conversation string        `json:"selected_conversation"`
}

type interaction struct {
	Type    string `json:"type"`
	Trigger string `json:"trigger_id"`
	URL     string `json:"response_url"`
	User    user   `json:"user"`
	Team    *struct {
		ID string `json:"id"`
	} `json:"team"` // null where the app is installed for a whole enterprise
	Enterprise *struct {
		ID string `json:"id"`
	} `json:"enterprise"`
	Container struct {
		Type     string `json:"type"`
		Channel  string `json:"channel_id"`
		Message  string `json:"message_ts"`
		Whispers bool   `json:"is_ephemeral"`
	} `json:"container"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Actions []json.RawMessage `json:"actions"`
	View    *struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Action   string `json:"callback_id"`
		Metadata string `json:"private_metadata"`
		State    struct {
			Values map[string]map[string]json.RawMessage `json:"values"`
		} `json:"state"`
	} `json:"view"`
}

// decodeInteraction reads block_actions and view_submission, as a form's "payload" or a socket's.
// It returns errForeign for what is to be acknowledged and ignored, and another error for what
// Slack does not send.
func decodeInteraction(payload []byte) (inbound, error) {
	var in interaction
	if err := decode("interaction", payload, &in); err != nil {
		// A type that is not read can have fields of the same names and other kinds.
		var kind struct {
			Type string `json:"type"`
		}
		if len(payload) <= maxPayload && json.Unmarshal(payload, &kind) == nil && foreignType(kind.Type) {
			return inbound{}, fmt.Errorf("read interaction of type %q: %w", kind.Type, errForeign)
		}
		return inbound{}, err
	}
	if foreignType(in.Type) {
		return inbound{}, fmt.Errorf("read interaction of type %q: %w", in.Type, errForeign)
	}
	team := in.User.Team
	if in.Team != nil && in.Team.ID != "" {
		team = in.Team.ID
	}
	if in.User.ID == "" || team == "" || in.Trigger == "" {
		return inbound{}, errors.New("read interaction: no user, team or trigger")
	}
	who := chat.Person{Platform: Platform, Workspace: team, ID: in.User.ID}
	// In a shared channel it may be a member of another organisation; within an enterprise an id
	// means the same person everywhere.
	if in.Enterprise == nil && in.User.Team != "" {
		who.Workspace = in.User.Team
	}
	// There, their profile alone tells whether they belong to this workspace as well.
	foreign := who.Workspace != in.User.Team && in.User.Team != ""
	g := inbound{event: chat.Event{ID: in.Trigger, Who: who, Unverified: foreign}, trigger: in.Trigger}
	if in.Type == "block_actions" {
		return in.press(g, team)
	}
	return in.submit(g, team)
}

// foreignType reports whether the bot has no use for a type of interactions.
func foreignType(kind string) bool { return kind != "block_actions" && kind != "view_submission" }

// press completes the event of a user who pressed a button or picked from a menu.
func (in *interaction) press(g inbound, team string) (inbound, error) {
	if len(in.Actions) == 0 {
		return inbound{}, errors.New("read press: no action")
	}
	var pressed element
	if err := json.Unmarshal(in.Actions[0], &pressed); err != nil {
		return inbound{}, fmt.Errorf("read press: %w: %w", errForeign, withoutQuotes(err))
	}
	action, err := chat.DecodeAction(pressed.ID)
	if err != nil {
		return inbound{}, fmt.Errorf("read press: %w: %w", errForeign, err)
	}
	switch {
	case pressed.Type == "button":
	case pressed.Type == "static_select" && pressed.Option != nil:
		g.event.Values = map[string][]string{chat.Picked: {pressed.Option.Value}}
	default:
		return inbound{}, fmt.Errorf("read press on %q: %w", pressed.Type, errForeign)
	}
	g.event.Kind, g.event.Action, g.event.At = chat.Press, action, parseTimestamp(pressed.At)
	switch {
	case in.Container.Type == "message":
		channel := in.Container.Channel
		if channel == "" {
			channel = in.Channel.ID
		}
		if channel == "" || in.Container.Message == "" {
			return inbound{}, errors.New("read press: no channel or message")
		}
		g.origin = origin{
			Channel:   channel,
			Private:   isDirect(channel),
			URL:       in.URL,
			Card:      in.Container.Message,
			Whispered: in.Container.Whispers,
		}
	case in.Container.Type == "view" && in.View != nil && in.View.Type == "home":
		g.home = true
		g.origin = origin{Channel: in.User.ID, Private: true, URL: in.URL}
	default:
		return inbound{}, fmt.Errorf("read press in %q: %w", in.Container.Type, errForeign)
	}
	g.locate(team)
	return g, nil
}

// submit completes the event of a user who sent a form.
func (in *interaction) submit(g inbound, team string) (inbound, error) {
	if in.View == nil || in.View.ID == "" {
		return inbound{}, errors.New("read form: no view")
	}
	action, err := chat.DecodeAction(in.View.Action)
	if err != nil {
		return inbound{}, fmt.Errorf("read form: %w: %w", errForeign, err)
	}
	if len(in.View.Metadata) > maxMetadata {
		return inbound{}, fmt.Errorf("read form: metadata of %d bytes", len(in.View.Metadata))
	}
	if err := json.Unmarshal([]byte(in.View.Metadata), &g.origin); err != nil {
		return inbound{}, fmt.Errorf("read where the form was opened: %w: %w", errForeign, withoutQuotes(err))
	}
	if g.origin.Channel == "" {
		return inbound{}, fmt.Errorf("read where the form was opened: no channel: %w", errForeign)
	}
	if len(in.View.State.Values) > maxFields {
		return inbound{}, fmt.Errorf("read form: %d fields, at most %d", len(in.View.State.Values), maxFields)
	}
	g.event.Values = make(map[string][]string, len(in.View.State.Values))
	for field, elements := range in.View.State.Values {
		raw, ok := elements[field]
		if !ok {
			continue
		}
		var e element
		switch err := json.Unmarshal(raw, &e); { // which reads what it can
		case err == nil:
		case slices.Contains(fieldTypes, e.Type):
			return inbound{}, fmt.Errorf("read form: %w", withoutQuotes(err))
		default:
			continue // what no form of this version holds
		}
		values := e.values(team)
		if len(values) > maxValues {
			return inbound{}, fmt.Errorf("read form: %d values in one field, at most %d", len(values), maxValues)
		}
		if len(values) > 0 {
			g.event.Values[field] = values
		}
	}
	g.event.Kind, g.event.Action, g.view = chat.Submit, action, in.View.ID
	g.home = g.origin.Channel == in.User.ID // a conversation has an id of its own: only App Home goes by the person's
	g.locate(team)
	return g, nil
}

// fieldTypes are the types of the fields of forms.
var fieldTypes = []string{
	"plain_text_input", "static_select", "radio_buttons", "checkboxes", "multi_static_select", "datepicker", "timepicker",
	"multi_users_select", "conversations_select",
}

// values returns the values of a field; nil if it was left empty.
func (e *element) values(team string) []string {
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	switch e.Type {
	case "plain_text_input":
		return one(e.Value)
	case "static_select", "radio_buttons":
		if e.Option != nil {
			return one(e.Option.Value)
		}
	case "checkboxes", "multi_static_select":
		var all []string
		for _, o := range e.Options {
			all = append(all, o.Value)
		}
		return all
	case "datepicker":
		return one(e.Date)
	case "timepicker":
		return one(e.Time)
	case "multi_users_select":
		var all []string
		for _, id := range e.Users {
			all = append(all, chat.Person{Platform: Platform, Workspace: team, ID: id}.String())
		}
		return all
	case "conversations_select":
		if e.Conversation != "" {
			return one(place(team, e.Conversation).String())
		}
	}
	return nil
}

// command is a slash command.
type command struct {
	Team    string `json:"team_id"`
	User    string `json:"user_id"`
	Channel string `json:"channel_id"`
	Text    string `json:"text"`
	URL     string `json:"response_url"`
	Trigger string `json:"trigger_id"`
	Check   string `json:"ssl_check"`
}

// decodeCommand reads a slash command, as HTTP brings it. Slack's check of the certificate is
// errForeign.
func decodeCommand(form url.Values) (inbound, error) {
	return command{
		Team: form.Get("team_id"), User: form.Get("user_id"), Channel: form.Get("channel_id"), Text: form.Get("text"),
		URL: form.Get("response_url"), Trigger: form.Get("trigger_id"), Check: form.Get("ssl_check"),
	}.gesture()
}

// decodeCommandJSON reads a slash command, as Socket Mode brings it.
func decodeCommandJSON(payload []byte) (inbound, error) {
	var c command
	if err := decode("command", payload, &c); err != nil {
		return inbound{}, err
	}
	return c.gesture()
}

func (c command) gesture() (inbound, error) {
	if c.Check != "" {
		return inbound{}, fmt.Errorf("read command: a check of the certificate: %w", errForeign)
	}
	if c.Team == "" || c.User == "" || c.Channel == "" || c.Trigger == "" {
		return inbound{}, errors.New("read command: no team, user, channel or trigger")
	}
	if len(c.Text) > 4*maxCommand {
		return inbound{}, fmt.Errorf("read command: %d bytes of text", len(c.Text))
	}
	action := chat.Action{}
	if words := strings.Fields(c.Text); len(words) > 0 {
		action = chat.NewAction(words[0], words[1:]...)
	}
	at := origin{Channel: c.Channel, Private: isDirect(c.Channel), URL: c.URL}
	return inbound{
		event: chat.Event{
			ID: c.Trigger, Kind: chat.Command, Action: action,
			Who:   chat.Person{Platform: Platform, Workspace: c.Team, ID: c.User},
			Where: place(c.Team, c.Channel), Private: at.Private,
		},
		trigger: c.Trigger, origin: at,
	}, nil
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
	out.kind = callbackGesture
	out.gesture = in.gesture(e, chat.Message, id, e.Channel)
	out.gesture.event.At = parseTimestamp(e.At)
	if e.Message != "" { // one message was seen as two events with different ids
		out.gesture.event.ID = e.Channel + "/" + e.Message // the client of the user chooses it
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
	out.kind = callbackGesture
	out.gesture = in.gesture(e, chat.Home, id, id)
	out.gesture.home = true
	return nil
}

func (in *envelope) gesture(e *innerEvent, kind chat.EventKind, id, channel string) inbound {
	who := chat.Person{Platform: Platform, Workspace: in.Team, ID: id}
	enterprise := slices.ContainsFunc(in.Authorizations, func(a authorization) bool { return a.Enterprise != "" })
	if !enterprise && e.Team != "" {
		who.Workspace = e.Team
	}
	foreign := who.Workspace != e.Team && e.Team != ""
	return inbound{
		event:  chat.Event{ID: in.ID, Kind: kind, Who: who, Where: place(in.Team, channel), Private: true, Unverified: foreign},
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

// decode reads JSON that is no longer than Slack sends.
func decode(what string, payload []byte, into any) error {
	if len(payload) > maxPayload {
		return fmt.Errorf("read %s: %d bytes, at most %d", what, len(payload), maxPayload)
	}
	if err := json.Unmarshal(payload, into); err != nil {
		return fmt.Errorf("read %s: %w", what, withoutQuotes(err))
	}
	return nil
}

// withoutQuotes is an error of encoding/json without what it quotes of the payload, which may be
// the user's words.
func withoutQuotes(err error) error {
	var bad *json.UnmarshalTypeError
	if errors.As(err, &bad) {
		return fmt.Errorf("a value that does not fit %s at byte %d", bad.Field, bad.Offset)
	}
	var broken *json.SyntaxError
	if errors.As(err, &broken) {
		return fmt.Errorf("broken JSON at byte %d", broken.Offset)
	}
	return errors.New("broken JSON")
}

// parseTimestamp reads a time as Slack writes it, "seconds.microseconds" since 1970; anything else
// is the zero time.
func parseTimestamp(s string) time.Time {
	whole, part, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(whole, 10, 40)
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	var micros int64
	if part != "" {
		if micros, err = strconv.ParseInt((part + "000000")[:6], 10, 32); err != nil || micros < 0 {
			return time.Time{}
		}
	}
	return time.Unix(seconds, micros*1000).UTC()
}

func place(team, channel string) chat.Place {
	return chat.Place{Platform: Platform, Workspace: team, Channel: channel}
}

// isDirect reports whether a conversation is one person's with the bot: Slack begins its id with D.
func isDirect(channel string) bool { return strings.HasPrefix(channel, "D") }
