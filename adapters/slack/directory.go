package slack

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"maturitybot/bot/chat"
)

const (
	// profileLife is how long a profile is believed; user_change events end it earlier.
	profileLife = time.Hour
	// profilesKept bounds the cache. A workspace may have more people; those who use the bot at one time are fewer.
	profilesKept = 10_000
	// profilePatience is how long a gesture waits for its person's profile: what it says matters less than the
	// acknowledgement within three seconds.
	profilePatience = 700 * time.Millisecond
	// everybodyLife is how long the list of the whole workspace is believed.
	everybodyLife = 10 * time.Minute
	// few is up to how many members of a channel are asked for one by one (users.info: 100 a minute and more).
	few = 40
	// page is the most that conversations.members and users.list give at once.
	page = 1000
)

// profile is what matters of one user.
type profile struct {
	admin  bool
	locale string
	// nobody says that it is no person of this workspace: a bot, deactivated, or of another organisation.
	nobody bool
}

// people knows profiles.
type people struct {
	client  *client
	team    string
	running *sync.WaitGroup

	mu        sync.Mutex
	known     map[string]*lookup
	everybody map[string]profile
	until     time.Time // of everybody
	listing   sync.Mutex
}

// lookup is one profile, known or being asked for.
type lookup struct {
	ready   chan struct{} // closed once the rest is set
	profile profile
	err     error
	until   time.Time
}

func (p *people) read(u slackgo.User) profile {
	ours := u.TeamID == "" || u.TeamID == p.team || slices.Contains(u.Enterprise.Teams, p.team)
	return profile{
		admin:  u.IsAdmin || u.IsOwner || u.IsPrimaryOwner,
		locale: u.Locale,
		nobody: u.Deleted || u.IsBot || u.IsAppUser || u.IsWorkflowBot || u.IsConnectorBot || u.ID == "USLACKBOT" || u.IsStranger || !ours,
	}
}

// get returns a profile, from memory or by users.info. The look-up goes on when the context ends first, for whoever asks next.
func (p *people) get(ctx context.Context, user string) (profile, error) {
	p.mu.Lock()
	l := p.known[user]
	if l != nil {
		select {
		case <-l.ready:
			if time.Now().After(l.until) {
				l = nil
			}
		default:
		}
	}
	if l == nil {
		if len(p.known) >= profilesKept {
			for other := range p.known {
				delete(p.known, other)
				break
			}
		}
		l = &lookup{ready: make(chan struct{})}
		p.known[user] = l
		p.running.Go(func() { p.ask(context.WithoutCancel(ctx), user, l) })
	}
	p.mu.Unlock()
	select {
	case <-l.ready:
		return l.profile, l.err
	case <-ctx.Done():
		return profile{}, ctx.Err()
	}
}

func (p *people) ask(ctx context.Context, user string, l *lookup) {
	defer close(l.ready)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	l.until = time.Now().Add(profileLife)
	l.err = p.client.call(ctx, "users.info", true, func(ctx context.Context) error {
		u, err := p.client.api.GetUserInfoContext(ctx, user)
		if err == nil {
			l.profile = p.read(*u)
		}
		return err
	})
	if l.err != nil {
		p.mu.Lock()
		if p.known[user] == l {
			delete(p.known, user)
		}
		p.mu.Unlock()
	}
}

// forget drops a profile that has changed.
func (p *people) forget(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, user)
	p.until = time.Time{}
}

// all returns everybody in the workspace by id.
func (p *people) all(ctx context.Context) (map[string]profile, error) {
	p.listing.Lock() // one list at a time: it is long, and users.list is slow to be allowed again
	defer p.listing.Unlock()
	p.mu.Lock()
	everybody, until := p.everybody, p.until
	p.mu.Unlock()
	if time.Now().Before(until) {
		return everybody, nil
	}
	everybody = map[string]profile{}
	pages := p.client.api.GetUsersPaginated(slackgo.GetUsersOptionLimit(page))
	for {
		err := p.client.call(ctx, "users.list", true, func(ctx context.Context) error {
			next, err := pages.Next(ctx)
			if err == nil {
				pages = next
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, u := range pages.Users {
			everybody[u.ID] = p.read(u)
		}
		if pages.Cursor == "" {
			break
		}
	}
	p.mu.Lock()
	p.everybody, p.until = everybody, time.Now().Add(everybodyLife)
	p.mu.Unlock()
	return everybody, nil
}

// How Slack writes people in the text of a command (should_escape), and their ids.
var (
	writtenUser = regexp.MustCompile(`^<@([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>$`)
	writtenMail = regexp.MustCompile(`^<mailto:([^|>]+)(?:\|[^>]*)?>$`)
	writtenID   = regexp.MustCompile(`^[UW][A-Z0-9]{6,20}$`)
)

// Find returns the person of an e-mail address, a mention or a user id, or chat.ErrNobody.
func (s *Slack) Find(ctx context.Context, _ chat.Place, word string) (chat.Person, error) {
	word = strings.TrimSpace(word)
	if m := writtenUser.FindStringSubmatch(word); m != nil {
		return s.findUser(ctx, m[1])
	}
	if m := writtenMail.FindStringSubmatch(word); m != nil {
		word = m[1]
	}
	switch {
	case strings.Contains(word, "@"):
		var user string
		var found profile
		err := s.client.call(ctx, "users.lookupByEmail", true, func(ctx context.Context) error {
			u, err := s.client.api.GetUserByEmailContext(ctx, word)
			if err == nil {
				user, found = u.ID, s.people.read(*u)
			}
			return err
		})
		return s.person(user, found, err)
	case writtenID.MatchString(word):
		return s.findUser(ctx, word)
	}
	return chat.Person{}, chat.ErrNobody
}

func (s *Slack) findUser(ctx context.Context, user string) (chat.Person, error) {
	found, err := s.people.get(ctx, user)
	return s.person(user, found, err)
}

func (s *Slack) person(user string, p profile, err error) (chat.Person, error) {
	switch code(err) {
	case "users_not_found", "user_not_found", "user_not_visible":
		return chat.Person{}, chat.ErrNobody
	}
	if err != nil {
		return chat.Person{}, fmt.Errorf("find a person: %w", err)
	}
	if p.nobody {
		return chat.Person{}, chat.ErrNobody
	}
	return chat.Person{Platform: Platform, Workspace: s.team, ID: user}, nil
}

// Members returns the people in a channel: no bots, nobody deactivated, nobody of another organisation. Guests are people.
func (s *Slack) Members(ctx context.Context, in chat.Place) ([]chat.Person, error) {
	var users []string
	for cursor := ""; ; {
		err := s.client.call(ctx, "conversations.members", true, func(ctx context.Context) error {
			some, next, err := s.client.api.GetUsersInConversationContext(ctx, &slackgo.GetUsersInConversationParameters{ChannelID: in.Channel, Cursor: cursor, Limit: page})
			if err == nil {
				users, cursor = append(users, some...), next
			}
			return err
		})
		switch code(err) {
		case "not_in_channel", "channel_not_found", "fetch_members_failed", "method_not_supported_for_channel_type":
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
	if len(users) > few {
		var err error
		if everybody, err = s.people.all(ctx); err != nil {
			return nil, fmt.Errorf("read the people of the workspace: %w", err)
		}
	}
	members := make([]chat.Person, 0, len(users))
	for _, user := range users {
		p, known := everybody[user]
		var err error
		if !known { // a small channel, or somebody who came since, or a stranger
			p, err = s.people.get(ctx, user)
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
