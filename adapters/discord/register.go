package discord

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"
)

// Register registers the commands, unless Discord has them as they are. If servers are listed, it
// removes global commands and those of servers that are no longer listed: users would see each
// command twice, or one without an answer. An error that is chat.ErrUnavailable may pass.
func (d *Discord) Register(ctx context.Context) error {
	if err := d.registerAll(ctx); err != nil {
		return markUnavailable(err)
	}
	d.removeLeftovers(ctx)
	return nil
}

// registerAll registers the commands globally or in the listed servers.
func (d *Discord) registerAll(ctx context.Context) error {
	for _, o := range d.registrations() {
		if err := d.client.register(ctx, o); err != nil {
			return o.explain(err)
		}
	}
	return nil
}

// maxTidiedGuilds is the number of servers in which removeLeftovers looks for commands, and
// tidyTimeout how long it may take: a start waits for it.
const (
	maxTidiedGuilds = 100
	tidyTimeout     = 20 * time.Second
)

// removeLeftovers removes the commands in servers that are not listed. A failure is logged, and it
// is tried again at the next start.
func (d *Discord) removeLeftovers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tidyTimeout)
	defer cancel()
	var in []struct {
		ID string `json:"id"`
	}
	err := d.client.do(ctx, request{
		what: "list the servers", method: http.MethodGet,
		path: fmt.Sprintf("users/@me/guilds?limit=%d", maxTidiedGuilds), bucket: "users/@me/guilds",
	}, &in)
	for _, g := range in {
		if _, ok := snowflake(g.ID); !ok || slices.Contains(d.options.Guilds, g.ID) {
			continue
		}
		err = d.client.register(ctx, registrationFor(d.app, g.ID, nil))
		if code(err) == discordgo.ErrCodeMissingAccess { // it may have none there
			err = nil
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		d.log.Warn("commands may be left over in servers that are not listed", "error", err)
	}
}

// allowsGuild returns true if the bot works in a server. The empty id is that of conversations.
func (d *Discord) allowsGuild(guild string) bool {
	return guild == "" || len(d.options.Guilds) == 0 || slices.Contains(d.options.Guilds, guild)
}

// register registers the commands of a registration, unless Discord has them as they are.
func (c *client) register(ctx context.Context, o registration) error {
	there, err := c.isRegistered(ctx, o)
	if err != nil || there {
		return err
	}
	err = c.do(ctx, request{
		what: "register the commands", method: http.MethodPut,
		path: o.path, bucket: o.path, body: o.commands,
	}, nil)
	if err != nil {
		return err
	}
	c.log.Info("commands registered", "commands", len(o.commands), "everywhere", o.guild == "")
	return nil
}
