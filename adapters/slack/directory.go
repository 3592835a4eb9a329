package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"

	"maturitybot/bot/chat"
)

// How Slack writes people in the text of a command (should_escape), and their ids.
var (
	userPattern = regexp.MustCompile(`^<@([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>$`)
	mailPattern = regexp.MustCompile(`^<mailto:([^|>]+)(?:\|[^>]*)?>$`)
	idPattern   = regexp.MustCompile(`^[UW][A-Z0-9]{6,20}$`)
)

// Find returns the person of an e-mail address, a mention or a user id, or chat.ErrNobody.
func (s *Slack) Find(ctx context.Context, _ chat.Place, word string) (chat.Person, error) {
	word = strings.TrimSpace(word)
	if m := userPattern.FindStringSubmatch(word); m != nil {
		return s.findUser(ctx, m[1])
	}
	if m := mailPattern.FindStringSubmatch(word); m != nil {
		word = m[1]
	}
	switch {
	case strings.Contains(word, "@"):
		user, found, err := s.profiles.byEmail(ctx, word)
		return s.person(user, found, err)
	case idPattern.MatchString(word):
		return s.findUser(ctx, word)
	}
	return chat.Person{}, chat.ErrNobody
}

func (s *Slack) findUser(ctx context.Context, user string) (chat.Person, error) {
	found, err := s.profiles.get(ctx, user, memberLookupTimeout)
	return s.person(user, found, err)
}

func (s *Slack) person(user string, p profile, err error) (chat.Person, error) {
	if isUnknownUser(err) {
		return chat.Person{}, chat.ErrNobody
	}
	if err != nil {
		return chat.Person{}, fmt.Errorf("find a person: %w", err)
	}
	if p.outsider {
		return chat.Person{}, chat.ErrNobody
	}
	return chat.Person{Platform: Platform, Workspace: s.team, ID: user}, nil
}

// picked returns the values of a form, in which people that Find would not return are replaced by
// their names. The bot refuses those like names that it cannot read, and says which.
func (s *Slack) picked(ctx context.Context, values map[string][]string) map[string][]string {
	ids := map[string]string{} // of users, by value
	for _, all := range values {
		for _, v := range all {
			p, err := chat.ParsePerson(v)
			ours := err == nil && p.Platform == Platform && p.Workspace == s.team
			if ours && idPattern.MatchString(p.ID) {
				ids[v] = p.ID
			}
		}
	}
	if len(ids) == 0 {
		return values
	}
	ctx, cancel := context.WithTimeout(ctx, pickTimeout)
	defer cancel()
	everybody := map[string]profile{}
	if len(ids) > lookupLimit {
		all, err := s.profiles.list(ctx)
		if err != nil {
			s.log.Warn("cannot look up people chosen in a form", "error", err)
			return values
		}
		everybody = all
	}
	for _, id := range ids {
		if _, known := everybody[id]; !known {
			_, _ = s.profiles.get(ctx, id, 0) // so that all are asked for at once
		}
	}
	names := map[string]string{} // of outsiders, by value
	for v, id := range ids {
		p, known := everybody[id]
		var err error
		if !known {
			p, err = s.profiles.get(ctx, id, pickTimeout)
		}
		switch _, err = s.person(id, p, err); {
		case errors.Is(err, chat.ErrNobody):
			// With colons it might pass for a person.
			names[v] = strings.ReplaceAll(cmp.Or(p.name, id), ":", " ")
		case err != nil:
			s.log.Warn("cannot look up a person chosen in a form", "error", err)
		}
	}
	if len(names) == 0 {
		return values
	}
	checked := maps.Clone(values)
	for field, all := range checked {
		checked[field] = slices.Clone(all)
		for i, v := range all {
			checked[field][i] = cmp.Or(names[v], v)
		}
	}
	return checked
}

// Members returns the people in a channel, guests included. Bots, deactivated users and members of
// other organisations are left out.
func (s *Slack) Members(ctx context.Context, in chat.Place) ([]chat.Person, error) {
	var users []string
	for cursor := ""; ; {
		err := s.client.call(ctx, "conversations.members", true, func(ctx context.Context) error {
			some, next, err := s.client.api.GetUsersInConversationContext(
				ctx, &slackgo.GetUsersInConversationParameters{
					ChannelID: in.Channel, Cursor: cursor, Limit: pageSize,
				},
			)
			if err == nil {
				users, cursor = append(users, some...), next
			}
			return err
		})
		switch code(err) {
		case "not_in_channel", "channel_not_found", "fetch_members_failed",
			"method_not_supported_for_channel_type":
			return nil, chat.ErrNobody
		}
		if err != nil {
			return nil, fmt.Errorf("read the members of a channel: %w", err)
		}
		if cursor == "" {
			break
		}
	}
	slices.Sort(users)
	users = slices.Compact(users)
	var everybody map[string]profile
	if len(users) > lookupLimit {
		var err error
		if everybody, err = s.profiles.list(ctx); err != nil {
			return nil, fmt.Errorf("read the people of the workspace: %w", err)
		}
	}
	members := make([]chat.Person, 0, len(users))
	for _, user := range users {
		p, known := everybody[user]
		var err error
		if !known { // a small channel, or a member who joined since, or an outsider
			p, err = s.profiles.get(ctx, user, memberLookupTimeout)
		}
		switch found, err := s.person(user, p, err); {
		case errors.Is(err, chat.ErrNobody):
		case err != nil:
			return nil, err
		default:
			members = append(members, found)
		}
	}
	return members, nil
}

// CanPost returns nil if the bot can post in a channel, and a *chat.CannotPostError if it cannot.
// To post files it must be a member. That only some people can post in a channel, Slack does not
// tell before the bot tries.
func (s *Slack) CanPost(ctx context.Context, in chat.Place) error {
	if !isChannel(in) {
		return nil // a person's conversation with the bot
	}
	var found *slackgo.Channel
	err := s.client.call(ctx, "conversations.info", true, func(ctx context.Context) (err error) {
		input := &slackgo.GetConversationInfoInput{ChannelID: in.Channel}
		found, err = s.client.api.GetConversationInfoContext(ctx, input)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("ask whether the bot can post: %w", cannotPost(err))
	case found.IsArchived:
		return &chat.CannotPostError{Reason: chat.Archived}
	case !found.IsMember:
		return &chat.CannotPostError{Reason: chat.NotMember}
	}
	return nil
}
