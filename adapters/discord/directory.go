package discord

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"maturitybot/bot/chat"
)

const (
	// pageSize is how many members one call brings (resources/guild.mdx).
	pageSize = 1000
	// maxMembers is the number of members from which on a server is not listed: a survey is not for
	// a whole public server.
	maxMembers = 20000
)

type guildMember struct {
	User struct {
		ID   string `json:"id"`
		Name string `json:"username"`
		Bot  bool   `json:"bot"`
	} `json:"user"`
	Roles []string `json:"roles"`
}

type guildChannel struct {
	Type       int      `json:"type"`
	Guild      string   `json:"guild_id"`
	Parent     string   `json:"parent_id"` // of a thread, the channel it is in
	Metadata   metadata `json:"thread_metadata"`
	Overwrites []struct {
		ID    string `json:"id"`
		Allow string `json:"allow"`
		Deny  string `json:"deny"`
	} `json:"permission_overwrites"`
}

// Find returns the person of a mention, an id or an exact username. Its error is chat.ErrNobody for
// a name that no member of the place's server has, for a bot, for an e-mail address, which Discord
// does not give out, and for names where Discord does not let the bot search.
func (d *Discord) Find(ctx context.Context, from chat.Place, word string) (chat.Person, error) {
	p, err := d.client.find(ctx, from, strings.TrimSpace(word))
	if err != nil {
		return chat.Person{}, fmt.Errorf("find a person: %w", err)
	}
	return p, nil
}

func (c *client) find(ctx context.Context, from chat.Place, word string) (chat.Person, error) {
	id := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(word, "<@"), "!"), ">")
	n, known := snowflake(id)
	known = known && n > 1<<32 // a shorter number is a name
	guild := from.Workspace
	if _, ok := snowflake(guild); !ok && guild != "" || from.Platform != Platform {
		return chat.Person{}, chat.ErrNobody
	}
	if known {
		var m guildMember
		var err error
		what := request{
			what: "look up a member", method: http.MethodGet,
			path: "guilds/" + guild + "/members/" + id, bucket: "guilds/" + guild + "/members/",
		}
		if guild == "" { // in the conversation with the bot
			what.path, what.bucket = "users/"+id, "users/"
			err = c.do(ctx, what, &m.User)
		} else {
			err = c.do(ctx, what, &m)
		}
		if err != nil {
			return chat.Person{}, asNobody(err)
		}
		return m.person()
	}
	name := strings.ToLower(strings.TrimPrefix(id, "@"))
	if guild == "" || name == "" || strings.ContainsAny(name, "@ ") {
		return chat.Person{}, chat.ErrNobody
	}
	var found []guildMember
	path := "guilds/" + guild + "/members/search"
	err := c.do(ctx, request{
		what: "search for a member", method: http.MethodGet, bucket: path,
		path: path + "?limit=100&query=" + url.QueryEscape(name),
	}, &found)
	if err != nil {
		return chat.Person{}, asNobody(err)
	}
	for _, m := range found {
		if strings.EqualFold(m.User.Name, name) {
			return m.person()
		}
	}
	return chat.Person{}, chat.ErrNobody
}

func (m guildMember) person() (chat.Person, error) {
	if _, ok := snowflake(m.User.ID); !ok || m.User.Bot {
		return chat.Person{}, chat.ErrNobody
	}
	return person(m.User.ID), nil
}

// asNobody wraps an error in chat.ErrNobody if Discord does not know the person, or does not tell.
func asNobody(err error) error {
	switch code(err) {
	case discordgo.ErrCodeUnknownUser, discordgo.ErrCodeUnknownMember,
		discordgo.ErrCodeUnknownChannel, discordgo.ErrCodeUnknownGuild,
		discordgo.ErrCodeMissingAccess, discordgo.ErrCodeMissingPermissions,
		discordgo.ErrCodeInvalidFormBody:
		return fmt.Errorf("%w: %w", chat.ErrNobody, err)
	}
	return err
}

// channel looks up a channel. Its Guild is empty for a person's conversation with the bot.
func (c *client) channel(ctx context.Context, p chat.Place) (guildChannel, error) {
	var found guildChannel
	if _, ok := snowflake(p.Channel); !ok || p.Platform != Platform {
		return found, chat.ErrNobody
	}
	err := c.do(ctx, get("look up a channel", "channels/"+p.Channel), &found)
	if err != nil {
		return found, asNobody(err)
	}
	if _, ok := snowflake(found.Guild); !ok {
		found.Guild = ""
	}
	return found, nil
}

// Members returns who can see a channel. It is chat.ErrNobody for a channel that is not in the
// server of the place, and where Discord does not tell: that takes the privileged Server Members
// Intent, which is off by default in the Developer Portal.
func (d *Discord) Members(ctx context.Context, in chat.Place) ([]chat.Person, error) {
	all, err := d.client.members(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("list the people of a place: %w", err)
	}
	return all, nil
}

func (c *client) members(ctx context.Context, in chat.Place) ([]chat.Person, error) {
	channel, err := c.channel(ctx, in)
	if err != nil {
		return nil, err
	}
	if channel.Guild == "" || channel.Guild != in.Workspace {
		return nil, chat.ErrNobody
	}
	sees, err := c.canSee(ctx, channel)
	if err != nil {
		return nil, err
	}
	var people []chat.Person
	after, path := "0", "guilds/"+channel.Guild+"/members"
	for range maxMembers / pageSize {
		var page []guildMember
		err := c.do(ctx, request{
			what: "list members", method: http.MethodGet, bucket: path,
			path: path + "?limit=" + strconv.Itoa(pageSize) + "&after=" + after,
		}, &page)
		if err != nil {
			return nil, asNobody(err)
		}
		for _, m := range page {
			after = m.User.ID
			if p, err := m.person(); err == nil && sees(m) {
				people = append(people, p)
			}
		}
		if len(page) < pageSize {
			return people, nil
		}
	}
	return nil, fmt.Errorf("more than %d members: %w", maxMembers, chat.ErrNobody)
}

// canSee returns a function that returns true for members who can see a channel. It is
// chat.ErrNobody for a thread: who sees it depends on who has joined it.
func (c *client) canSee(
	ctx context.Context, in guildChannel,
) (func(guildMember) bool, error) {
	if isThread(in.Type) {
		return nil, fmt.Errorf("a thread: %w", chat.ErrNobody)
	}
	of, err := c.permissions(ctx, in)
	if err != nil {
		return nil, err
	}
	return func(m guildMember) bool { return of(m)&discordgo.PermissionViewChannel != 0 }, nil
}
