package slack

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"maturitybot/bot/chat"
)

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
// errIgnored.
func decodeCommand(form url.Values) (inbound, error) {
	return command{
		Team:    form.Get("team_id"),
		User:    form.Get("user_id"),
		Channel: form.Get("channel_id"),
		Text:    form.Get("text"),
		URL:     form.Get("response_url"),
		Trigger: form.Get("trigger_id"),
		Check:   form.Get("ssl_check"),
	}.inbound()
}

// decodeCommandJSON reads a slash command, as Socket Mode brings it.
func decodeCommandJSON(payload []byte) (inbound, error) {
	var c command
	if err := decode("command", payload, &c); err != nil {
		return inbound{}, err
	}
	return c.inbound()
}

func (c command) inbound() (inbound, error) {
	if c.Check != "" {
		return inbound{}, fmt.Errorf("read command: a check of the certificate: %w", errIgnored)
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
