package discord

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/bwmarrin/discordgo"
)

// Permissions is what the bot needs in a server and in each channel that it posts to: View
// Channels, Send Messages and Attach Files.
const Permissions = discordgo.PermissionViewChannel | discordgo.PermissionSendMessages |
	discordgo.PermissionAttachFiles

// InviteURL returns the address that adds the application to a server, with the scopes and
// permissions the bot needs. It works for private applications, which have no install link of
// their own.
func InviteURL(application string) string {
	q := url.Values{
		"client_id":        {application},
		"scope":            {"bot applications.commands"},
		"permissions":      {strconv.FormatInt(Permissions, 10)},
		"integration_type": {"0"}, // a server, not a person's own account
	}
	return "https://discord.com/oauth2/authorize?" + q.Encode()
}

// errEndpoint says that Discord delivers elsewhere than to the gateway.
var errEndpoint = errors.New("Discord delivers to an Interactions Endpoint URL, and then " +
	"nothing by the gateway: take that address away on the application's page General " +
	"Information at " + portal + ", or let the bot serve it")

// AppInfo is what Discord says about the application whose bot token this is.
type AppInfo struct {
	Application string // its name
	ID          string
	// Endpoint is the Interactions Endpoint URL, or empty.
	Endpoint string
	// Registered says that the commands are there as the bot offers them. If they are not, Register
	// corrects it.
	Registered bool
	// Public says that anybody can add the application to a server of theirs.
	Public bool
}

// Check asks Discord for the application's settings. Its error says that the bot cannot work, and
// what to change, if that is known; what was learned before is returned with it.
func (d *Discord) Check(ctx context.Context) (AppInfo, error) {
	var app struct {
		Name     string `json:"name"`
		Endpoint string `json:"interactions_endpoint_url"`
		Public   bool   `json:"bot_public"`
	}
	err := d.client.do(ctx, get("ask for the application", "applications/@me"), &app)
	info := AppInfo{Application: app.Name, ID: d.app, Endpoint: app.Endpoint, Public: app.Public}
	switch {
	case err != nil:
		return info, err
	case d.key == nil && app.Endpoint != "":
		return info, errEndpoint
	}
	info.Registered = true
	for _, o := range d.registrations() {
		there, err := d.client.isRegistered(ctx, o)
		if err != nil {
			return info, o.explain(err)
		}
		info.Registered = info.Registered && there
	}
	return info, nil
}
