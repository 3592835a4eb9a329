package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/bwmarrin/discordgo"

	"maturitybot/bot/chat"
)

// The permissions that a post with files needs, by their names in Discord's channel settings.
const (
	viewChannel   = "View Channel"
	sendMessages  = "Send Messages"
	sendInThreads = "Send Messages in Threads"
	attachFiles   = "Attach Files"
)

// rights are the bot's permissions in a channel.
type rights struct {
	bits   uint64
	thread bool
	locked bool // a thread that the bot cannot open again
}

// missing returns nil if the bot can post cards with files, or a *chat.CannotPostError.
func (r rights) missing() error {
	if r.locked {
		return &chat.CannotPostError{Reason: chat.Archived}
	}
	if r.bits&administrator != 0 {
		return nil
	}
	send, name := uint64(discordgo.PermissionSendMessages), sendMessages
	if r.thread {
		send, name = discordgo.PermissionSendMessagesInThreads, sendInThreads
	}
	var missing []string
	for _, need := range []struct {
		bit  uint64
		name string
	}{
		{discordgo.PermissionViewChannel, viewChannel},
		{send, name},
		{discordgo.PermissionAttachFiles, attachFiles},
	} {
		if r.bits&need.bit == 0 {
			missing = append(missing, need.name)
		}
	}
	if missing == nil {
		return nil
	}
	return &chat.CannotPostError{Reason: chat.MissingRights, Rights: missing}
}

// cachedRights are rights that came with an interaction, and when.
type cachedRights struct {
	rights
	at time.Time
}

const (
	// rightsTTL is how long the rights that come with an interaction are cached, for what it asks
	// for.
	rightsTTL = 15 * time.Second
	// maxCachedRights is the number of channels from which on expired rights are deleted.
	maxCachedRights = 1024
)

// remember caches the bot's permissions in a channel, which came with an interaction there.
func (d *Discord) remember(g inbound) {
	if !g.origin.RightsKnown {
		return
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.rightsCache) >= maxCachedRights {
		for channel, k := range d.rightsCache {
			if now.Sub(k.at) > rightsTTL {
				delete(d.rightsCache, channel)
			}
		}
	}
	d.rightsCache[g.origin.Channel] = cachedRights{g.origin.Rights, now}
}

// CanPost returns nil if the bot can post cards with files in a channel, and a
// *chat.CannotPostError if it cannot. It knows that from a recent interaction in the channel, or
// else from the channel's settings and the bot's roles.
func (d *Discord) CanPost(ctx context.Context, in chat.Place) error {
	d.mu.Lock()
	k, ok := d.rightsCache[in.Channel]
	d.mu.Unlock()
	if ok && time.Since(k.at) <= rightsTTL {
		return k.missing()
	}
	r, err := d.rightsIn(ctx, in)
	if err != nil {
		return fmt.Errorf("ask whether the bot can post: %w", cannotPost(err))
	}
	return r.missing()
}

// rightsIn computes the bot's permissions in a channel.
func (d *Discord) rightsIn(ctx context.Context, in chat.Place) (rights, error) {
	c, err := d.client.channel(ctx, in)
	if err != nil {
		return rights{}, err
	}
	if c.Guild == "" {
		return rights{bits: administrator}, nil // a person's conversation with the bot
	}
	r := rights{thread: isThread(c.Type), locked: c.Metadata.closed()}
	if r.thread { // it has no settings of its own
		if c, err = d.client.channel(ctx, place(c.Guild, c.Parent)); err != nil {
			return rights{}, err
		}
	}
	var me guildMember
	path := "guilds/" + c.Guild + "/members/"
	err = d.client.do(ctx, request{
		what: "look up the bot", method: http.MethodGet, path: path + d.botUser, bucket: path,
	}, &me)
	if err != nil {
		return rights{}, err
	}
	of, err := d.client.permissions(ctx, c)
	if err != nil {
		return rights{}, err
	}
	r.bits = of(me)
	return r, nil
}

// cannotPost turns an error which says that the bot cannot post into a *chat.CannotPostError with
// the reason. Other errors stay as they are.
func cannotPost(err error) error {
	if _, stands := errors.AsType[*chat.MissingFilesError](err); stands {
		return err
	}
	switch code(err) {
	case discordgo.ErrCodeUnknownChannel:
		return &chat.CannotPostError{Reason: chat.Gone, Err: err}
	case discordgo.ErrCodeMissingAccess, discordgo.ErrCodeMissingPermissions:
		return &chat.CannotPostError{
			Reason: chat.MissingRights,
			Rights: []string{viewChannel, sendMessages, attachFiles}, // Discord does not say which
			Err:    err,
		}
	}
	return err
}

// metadata is what a thread has beyond a channel.
type metadata struct {
	Archived bool `json:"archived"`
	Locked   bool `json:"locked"`
}

// closed returns true for a thread that a message of the bot does not open again.
func (m metadata) closed() bool { return m.Archived && m.Locked }

func isThread(kind int) bool {
	switch discordgo.ChannelType(kind) {
	case discordgo.ChannelTypeGuildNewsThread, discordgo.ChannelTypeGuildPublicThread,
		discordgo.ChannelTypeGuildPrivateThread:
		return true
	}
	return false
}

// permissions returns a function that says what a member may do in a channel
// (topics/permissions.mdx).
func (c *client) permissions(
	ctx context.Context, in guildChannel,
) (func(guildMember) uint64, error) {
	var guild struct {
		Owner string `json:"owner_id"`
		Roles []struct {
			ID          string `json:"id"`
			Permissions string `json:"permissions"`
		} `json:"roles"`
	}
	path := "guilds/" + in.Guild
	err := c.do(ctx, get("look up a server", path), &guild)
	if err != nil {
		return nil, asNobody(err)
	}
	bits := func(s string) uint64 {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return 0 // what cannot be read permits nothing
		}
		return n
	}
	roles := map[string]uint64{}
	for _, r := range guild.Roles {
		roles[r.ID] = bits(r.Permissions)
	}
	return func(m guildMember) uint64 {
		may := roles[in.Guild]
		for _, r := range m.Roles {
			may |= roles[r]
		}
		if m.User.ID == guild.Owner || may&administrator != 0 {
			return administrator | discordgo.PermissionViewChannel
		}
		// The server's overwrite first, then those of all roles together, then the member's own.
		var allow, deny uint64
		for _, o := range in.Overwrites {
			if o.ID == in.Guild {
				may = may&^bits(o.Deny) | bits(o.Allow)
			}
			if o.ID != in.Guild && slices.Contains(m.Roles, o.ID) {
				allow, deny = allow|bits(o.Allow), deny|bits(o.Deny)
			}
		}
		may = may&^deny | allow
		for _, o := range in.Overwrites {
			if o.ID == m.User.ID {
				may = may&^bits(o.Deny) | bits(o.Allow)
			}
		}
		return may
	}, nil
}
