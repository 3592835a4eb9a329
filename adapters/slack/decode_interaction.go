package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"maturitybot/bot/chat"
)

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
// It returns errIgnored for what is to be acknowledged and ignored, and another error for what
// Slack does not send.
func decodeInteraction(payload []byte) (inbound, error) {
	payload = withoutField(payload, "message")
	var in interaction
	if err := decode("interaction", payload, &in); err != nil {
		// A type that is not read can have fields of the same names and other kinds.
		var kind struct {
			Type string `json:"type"`
		}
		if len(payload) <= maxPayload && json.Unmarshal(payload, &kind) == nil && foreignType(kind.Type) {
			return inbound{}, fmt.Errorf("read interaction of type %q: %w", kind.Type, errIgnored)
		}
		return inbound{}, err
	}
	if foreignType(in.Type) {
		return inbound{}, fmt.Errorf("read interaction of type %q: %w", in.Type, errIgnored)
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
		return inbound{}, fmt.Errorf("read press: %w: %w", errIgnored, withoutQuotes(err))
	}
	action, err := chat.DecodeAction(pressed.ID)
	if err != nil {
		return inbound{}, fmt.Errorf("read press: %w: %w", errIgnored, err)
	}
	switch {
	case pressed.Type == "button":
	case pressed.Type == "static_select" && pressed.Option != nil:
		g.event.Values = map[string][]string{chat.Picked: {pressed.Option.Value}}
	default:
		return inbound{}, fmt.Errorf("read press on %q: %w", pressed.Type, errIgnored)
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
		return inbound{}, fmt.Errorf("read press in %q: %w", in.Container.Type, errIgnored)
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
		return inbound{}, fmt.Errorf("read form: %w: %w", errIgnored, err)
	}
	if len(in.View.Metadata) > maxMetadata {
		return inbound{}, fmt.Errorf("read form: metadata of %d bytes", len(in.View.Metadata))
	}
	if err := json.Unmarshal([]byte(in.View.Metadata), &g.origin); err != nil {
		return inbound{}, fmt.Errorf("read where the form was opened: %w: %w",
			errIgnored, withoutQuotes(err))
	}
	if g.origin.Channel == "" {
		return inbound{}, fmt.Errorf("read where the form was opened: no channel: %w", errIgnored)
	}
	if n := len(in.View.State.Values); n > maxFields {
		return inbound{}, fmt.Errorf("read form: %d fields, at most %d", n, maxFields)
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
			return inbound{}, fmt.Errorf("read form: %d values in one field, at most %d",
				len(values), maxValues)
		}
		if len(values) > 0 {
			g.event.Values[field] = values
		}
	}
	g.event.Kind, g.event.Action, g.view = chat.Submit, action, in.View.ID
	// A conversation has an id of its own. Only App Home goes by the person's.
	g.home = g.origin.Channel == in.User.ID
	g.locate(team)
	return g, nil
}

// fieldTypes are the types of the fields of forms.
var fieldTypes = []string{
	"plain_text_input", "static_select", "radio_buttons", "checkboxes", "multi_static_select",
	"datepicker", "timepicker", "multi_users_select", "conversations_select",
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
