package discord

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"maturitybot/bot/chat"
)

// errBroken is the error for a payload that is not an interaction. It cannot be answered.
var errBroken = errors.New("not an interaction")

// errForeign is the error for a well-formed payload with a component or command that is not the
// bot's, a forged id, or an interaction that the bot does not use. The event returned with it can
// be answered: it is a press of no action, the command "?", or choices for no option, and the bot
// has an answer to each.
var errForeign = errors.New("not one of the bot's")

// Limits of a payload. Discord sends far less.
const (
	maxPayload = 1 << 20 // bytes of a body
	maxValues  = 100     // of one field
	maxNested  = 3       // rows and labels in a modal
)

// Types of interactions.
const (
	interactionPing      = 1
	interactionCommand   = 2
	interactionComponent = 3
	interactionComplete  = 4
	interactionSubmit    = 5
)

// Contexts of interactions: a server, the conversation between a person and the bot, and that of
// people among themselves.
const (
	contextGuild = 0
	contextBot   = 1
)

// interaction is the part of an interaction that the bot needs.
type interaction struct {
	ID          string `json:"id"`
	Application string `json:"application_id"`
	Type        int    `json:"type"`
	Token       string `json:"token"`
	Guild       string `json:"guild_id"`
	Channel     string `json:"channel_id"`
	Context     *int   `json:"context"`
	Locale      string `json:"locale"`
	Rights      string `json:"app_permissions"` // the bot's, in the channel
	In          struct {
		Type     int      `json:"type"`
		Metadata metadata `json:"thread_metadata"`
	} `json:"channel"`
	User    *user   `json:"user"`   // in the conversation with the bot
	Member  *member `json:"member"` // in a server
	Message *struct {
		ID    string `json:"id"`
		Flags int    `json:"flags"`
	} `json:"message"`
	Data json.RawMessage `json:"data"` // its form goes by the type: read as interactionData
}

// interactionData is what the user did.
type interactionData struct {
	Name          string      `json:"name"`
	Options       []given     `json:"options"`
	CustomID      string      `json:"custom_id"`
	ComponentType int         `json:"component_type"`
	Values        []string    `json:"values"`
	Components    []submitted `json:"components"`
	Resolved      struct {
		Users    map[string]json.RawMessage `json:"users"`
		Channels map[string]json.RawMessage `json:"channels"`
	} `json:"resolved"` // what Discord itself found to be chosen
}

type user struct {
	ID string `json:"id"`
}

type member struct {
	User        user   `json:"user"`
	Permissions string `json:"permissions"`
}

// given is an option of a command, or the subcommand.
type given struct {
	Name    string          `json:"name"`
	Type    int             `json:"type"`
	Value   json.RawMessage `json:"value"`
	Options []given         `json:"options"`
	Focused bool            `json:"focused"`
}

// submitted is a component of a modal that was sent: a row, a label, or the field in it. Value and
// Values are read only for the types that the bot uses: the value of a checkbox is a boolean, and
// Discord adds types.
type submitted struct {
	Type       int             `json:"type"`
	CustomID   string          `json:"custom_id"`
	Value      json.RawMessage `json:"value"`
	Values     json.RawMessage `json:"values"`
	Components []submitted     `json:"components"`
	Component  *submitted      `json:"component"`
}

// decodeInteraction reads an interaction as the gateway or an HTTP request delivers it. specs are
// the commands that the bot offers. If its error is errForeign the result can be answered; if it is
// errBroken it cannot.
func decodeInteraction(payload []byte, specs []chat.CommandSpec) (inbound, error) {
	if len(payload) > maxPayload {
		return inbound{}, fmt.Errorf("read interaction: %d bytes: %w", len(payload), errBroken)
	}
	var in interaction
	if err := json.Unmarshal(payload, &in); err != nil {
		// The cause may quote what a user wrote.
		return inbound{}, fmt.Errorf("read interaction: %w", errBroken)
	}
	if in.Type == interactionPing {
		return inbound{kind: ping}, nil
	}
	g, err := in.inbound()
	if err != nil {
		return inbound{}, fmt.Errorf("read interaction: %w", err)
	}
	nothing := g
	var data interactionData
	switch {
	case !in.forBot(), in.Data != nil && json.Unmarshal(in.Data, &data) != nil:
		err = errForeign
	case in.Type == interactionCommand, in.Type == interactionComplete:
		err = in.command(data, specs, &g)
	case in.Type == interactionComponent:
		err = in.press(data, &g)
	case in.Type == interactionSubmit:
		err = in.submit(data, &g)
	default:
		err = errForeign
	}
	if err != nil {
		nothing.event.Kind = chat.Press
		switch in.Type {
		case interactionCommand:
			nothing.event.Kind, nothing.event.Action = chat.Command, chat.NewAction("?")
		case interactionComplete:
			nothing.kind = completing
		}
		return nothing, fmt.Errorf("read interaction of type %d: %w", in.Type, err)
	}
	return g, nil
}

// inbound reads what every interaction has: its user, place and time, and how to answer it.
func (in *interaction) inbound() (inbound, error) {
	id, known := snowflake(in.ID)
	who := in.User
	if in.Member != nil {
		who = &in.Member.User
	}
	// Ids and the token become parts of addresses.
	if !known || who == nil || in.Token == "" || strings.ContainsAny(in.Token, "/\\?#% ") {
		return inbound{}, errBroken
	}
	for _, s := range []string{who.ID, in.Application, in.Channel} {
		if _, ok := snowflake(s); !ok {
			return inbound{}, errBroken
		}
	}
	if _, ok := snowflake(in.Guild); !ok && in.Guild != "" {
		return inbound{}, errBroken
	}
	g := inbound{
		kind: handled,
		event: chat.Event{
			ID:        in.ID,
			At:        snowflakeTime(id),
			Who:       person(who.ID),
			Where:     place(in.Guild, in.Channel),
			Locale:    in.Locale,
			Private:   in.Guild == "" && in.forBot(),
			Community: chat.Server,
		},
		origin: origin{
			Interaction: in.ID,
			Application: in.Application,
			Token:       in.Token,
			Guild:       in.Guild,
			Channel:     in.Channel,
		},
	}
	if in.Member != nil {
		may, err := strconv.ParseUint(in.Member.Permissions, 10, 64)
		g.event.Admin = err == nil && may&(administrator|manageServer) != 0
	}
	if may, err := strconv.ParseUint(in.Rights, 10, 64); err == nil && in.Guild != "" {
		g.origin.Rights = rights{
			bits: may, thread: isThread(in.In.Type), locked: in.In.Metadata.closed(),
		}
		g.origin.RightsKnown = true
	}
	if m := in.Message; m != nil {
		if _, ok := snowflake(m.ID); !ok {
			return inbound{}, errBroken
		}
		g.origin.Message, g.origin.Whispered = m.ID, m.Flags&flagEphemeral != 0
		if !g.origin.Whispered && !g.event.Private {
			g.event.SharedCard = chat.CardRef{Place: g.event.Where, Message: m.ID}
		}
	}
	return g, nil
}

// forBot returns true for an interaction in a server or in the conversation with the bot. In a
// conversation between users, each of them would see what one is shown.
func (in *interaction) forBot() bool {
	if in.Context == nil {
		return true
	}
	if in.Guild != "" {
		return *in.Context == contextGuild
	}
	return *in.Context == contextBot
}

// command reads one of the bot's commands that was sent, or is being typed.
func (in *interaction) command(
	data interactionData, specs []chat.CommandSpec, g *inbound,
) error {
	options := data.Options
	i := slices.IndexFunc(specs, func(s chat.CommandSpec) bool { return s.Name == data.Name })
	if i < 0 || len(options) != 1 || options[0].Type != optionSubcommand {
		return errForeign
	}
	spec := specs[i]
	verb, values := options[0].Name, map[string][]string{}
	for _, o := range options[0].Options {
		var value string
		err := json.Unmarshal(o.Value, &value)
		if err != nil || utf8.RuneCountInString(value) > chat.MaxCardText {
			return errForeign // every option of the bot's is a word
		}
		if o.Focused && in.Type == interactionComplete {
			g.typing = o.Name
		}
		if value != "" || o.Focused {
			values[o.Name] = []string{value}
		}
	}
	g.event.Locale = cmp.Or(spec.Locale, g.event.Locale)
	g.event.Kind, g.event.Action, g.event.Values = chat.Command, chat.Action{Verb: verb}, values
	if argument := g.event.Value(spec.Argument); argument != "" {
		g.event.Action.Args = []string{argument}
	}
	if in.Type != interactionComplete {
		delete(values, spec.Argument)
		return nil
	}
	if g.typing == "" {
		return errForeign
	}
	g.kind = completing
	return nil
}

// press reads a button, or what was picked.
func (in *interaction) press(data interactionData, g *inbound) error {
	id, question := strings.CutPrefix(data.CustomID, questionPrefix)
	action, err := chat.DecodeAction(id)
	if err != nil {
		return errForeign
	}
	g.event.Kind, g.event.Action = chat.Press, action
	switch {
	case data.ComponentType == typeSelect && question:
		switch {
		case slices.Equal(data.Values, []string{answerYes}):
		case slices.Equal(data.Values, []string{answerNo}):
			g.kind = dismissed
		default:
			return errForeign
		}
		return nil
	case question:
		return errForeign
	case data.ComponentType == typeButton:
		return nil
	}
	values, err := data.chosen(in.Guild, data.ComponentType, data.Values)
	if err != nil {
		return err
	}
	g.event.Values = map[string][]string{chat.Picked: values}
	return nil
}

// chosen returns the values of a select as the bot writes them. Ids that Discord did not resolve
// are forged, and errForeign.
func (data *interactionData) chosen(guild string, kind int, values []string) ([]string, error) {
	if len(values) > maxValues {
		return nil, errForeign
	}
	out := make([]string, 0, len(values))
	for _, v := range values {
		if kind == typeSelect {
			if v == "" || utf8.RuneCountInString(v) > maxOption {
				return nil, errForeign
			}
			out = append(out, v)
			continue
		}
		if _, ok := snowflake(v); !ok {
			return nil, errForeign
		}
		_, user := data.Resolved.Users[v]
		_, channel := data.Resolved.Channels[v]
		switch {
		case kind == typeUserSelect && user:
			out = append(out, person(v).String())
		case kind == typeChannelSelect && channel:
			out = append(out, place(guild, v).String())
		default: // what Discord did not find is forged
			return nil, errForeign
		}
	}
	switch kind {
	case typeSelect, typeUserSelect, typeChannelSelect:
		return out, nil
	}
	return nil, errForeign
}

// submit reads a modal that was sent, with its fields in rows or in labels.
func (in *interaction) submit(data interactionData, g *inbound) error {
	action, err := chat.DecodeAction(data.CustomID)
	if err != nil {
		return errForeign
	}
	values := map[string][]string{}
	if err := data.fields(in.Guild, data.Components, values, maxNested); err != nil {
		return err
	}
	g.event.Kind, g.event.Action, g.event.Values = chat.Submit, action, values
	return nil
}

// fields reads the fields of a modal into values. Nested is how deep components may be nested.
func (data *interactionData) fields(
	guild string, all []submitted, values map[string][]string, nested int,
) error {
	if nested == 0 || len(all) > chat.MaxComponents {
		return errForeign
	}
	for _, c := range all {
		switch c.Type {
		case typeRow:
			if err := data.fields(guild, c.Components, values, nested-1); err != nil {
				return err
			}
		case typeLabel:
			if c.Component == nil {
				return errForeign
			}
			if err := data.fields(guild, []submitted{*c.Component}, values, nested-1); err != nil {
				return err
			}
		case typeInput, typeSelect, typeUserSelect, typeChannelSelect:
			_, twice := values[c.CustomID]
			tooLong := utf8.RuneCountInString(c.CustomID) > chat.MaxAction
			if twice || tooLong || c.CustomID == "" {
				return errForeign
			}
			read, err := data.value(guild, c)
			if err != nil {
				return err
			}
			values[c.CustomID] = read
		default: // the intro, and what no form of this version holds
		}
	}
	return nil
}

// value returns the values of a field.
func (data *interactionData) value(guild string, c submitted) ([]string, error) {
	if c.Type == typeInput {
		text := ""
		if c.Value != nil && json.Unmarshal(c.Value, &text) != nil {
			return nil, errForeign
		}
		if utf8.RuneCountInString(text) > chat.MaxCardText {
			return nil, errForeign
		}
		return []string{text}, nil
	}
	var chosen []string
	if c.Values != nil && json.Unmarshal(c.Values, &chosen) != nil {
		return nil, errForeign
	}
	return data.chosen(guild, c.Type, chosen)
}
