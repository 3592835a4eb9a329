package slack

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
)

const (
	// profileTTL is how long a profile is cached. A user_change event removes it earlier.
	profileTTL = time.Hour
	// memberLookupTimeout bounds the lookup of one person of a list.
	memberLookupTimeout = 20 * time.Second
	// profileRetryInterval is the pause before a failed lookup is repeated.
	profileRetryInterval = time.Minute
	// maxProfiles bounds the caches of profiles and of e-mail addresses. A workspace may have more
	// people, but fewer use the bot at one time.
	maxProfiles = 10_000
	// addressTTL is how long the user of an e-mail address is cached, so that a long list which met
	// Slack's rate limit continues when it is sent again. That no user has an address is cached for
	// addressMissTTL, which is no longer than it takes to invite a person to the workspace.
	addressTTL     = 10 * time.Minute
	addressMissTTL = time.Minute
	// profileTimeout bounds how long an event waits for its person's profile, which matters less
	// than the acknowledgement within three seconds.
	profileTimeout = 700 * time.Millisecond
	// pickTimeout bounds the lookup of the people picked in a form. Slack offers only people who
	// exist, so that those not found in time are accepted.
	pickTimeout = 5 * time.Second
	// memberListTTL is how long the list of the whole workspace is cached.
	memberListTTL = 10 * time.Minute
	// lookupLimit is up to how many members of a channel are looked up one by one (users.info
	// allows 100 a minute and more). For more, the whole workspace is listed.
	lookupLimit = 40
	// pageSize is the most that conversations.members and users.list return at once.
	pageSize = 1000
)

// profile is what the bot needs to know of a user.
type profile struct {
	admin  bool
	locale string
	zone   string // IANA name
	// outsider is true for a user who is not a person of this workspace: a bot, a deactivated user,
	// or a member of another organisation.
	outsider bool
	name     string
	team     string
}

// foreignWorkspace returns a workspace other than ours, for an outsider.
func (p profile) foreignWorkspace(ours string) string {
	if p.team == "" || p.team == ours {
		return "none"
	}
	return p.team
}

// profileCache knows profiles.
type profileCache struct {
	client  *client
	team    string
	running *sync.WaitGroup

	mu           sync.Mutex
	known        map[string]*lookup
	addresses    map[string]address
	members      map[string]profile
	membersUntil time.Time // until when members is used
	listMu       sync.Mutex
}

func newProfileCache(c *client, team string, running *sync.WaitGroup) *profileCache {
	return &profileCache{
		client: c, team: team, running: running,
		known: map[string]*lookup{}, addresses: map[string]address{},
	}
}

// lookup is one profile, known or being asked for.
type lookup struct {
	ready   chan struct{} // closed once the rest is set
	profile profile
	err     error
	until   time.Time
}

// address is the user of an e-mail address.
type address struct {
	user    string
	profile profile // without the locale, which Slack does not tell by address
	err     error   // that no user has it
	until   time.Time
}

func (p *profileCache) profileOf(u slackgo.User) profile {
	ours := u.TeamID == "" || u.TeamID == p.team || slices.Contains(u.Enterprise.Teams, p.team)
	return profile{
		admin:  u.IsAdmin || u.IsOwner || u.IsPrimaryOwner,
		locale: u.Locale,
		zone:   u.TZ,
		name:   cmp.Or(u.Profile.DisplayName, u.RealName, u.Profile.RealName, u.Name),
		team:   u.TeamID,
		outsider: u.Deleted || u.IsBot || u.IsAppUser || u.IsWorkflowBot || u.IsConnectorBot ||
			u.ID == "USLACKBOT" || u.IsStranger || !ours,
	}
}

// get returns a profile from the cache, or by users.info. It waits no longer than the timeout. The
// lookup then continues, for the next call.
func (p *profileCache) get(
	ctx context.Context, user string, timeout time.Duration,
) (profile, error) {
	p.mu.Lock()
	l := p.known[user]
	if l != nil && l.isReady() && time.Now().After(l.until) {
		l = nil
	}
	if l == nil {
		if len(p.known) >= maxProfiles {
			for other := range p.known {
				delete(p.known, other)
				break
			}
		}
		l = &lookup{ready: make(chan struct{})}
		p.known[user] = l
		p.running.Go(func() { p.fetch(context.WithoutCancel(ctx), user, l) })
	}
	p.mu.Unlock()
	if l.isReady() {
		return l.profile, l.err
	}
	if timeout == 0 {
		return profile{}, errProfilePending
	}
	wait, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case <-l.ready:
		return l.profile, l.err
	case <-wait.Done():
		return profile{}, wait.Err()
	}
}

// errProfilePending is the error of get while a profile is being looked up.
var errProfilePending = errors.New("profile not known yet")

// isReady returns true if the lookup has ended.
func (l *lookup) isReady() bool {
	select {
	case <-l.ready:
		return true
	default:
		return false
	}
}

func (p *profileCache) fetch(ctx context.Context, user string, l *lookup) {
	defer close(l.ready)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	l.until = time.Now().Add(profileTTL)
	l.err = p.client.call(ctx, "users.info", true, func(ctx context.Context) error {
		u, err := p.client.api.GetUserInfoContext(ctx, user)
		if err == nil {
			l.profile = p.profileOf(*u)
		}
		return err
	})
	if l.err != nil {
		l.until = time.Now().Add(profileRetryInterval)
	}
}

// forget drops a profile that has changed.
func (p *profileCache) forget(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, user)
	maps.DeleteFunc(p.addresses, func(_ string, a address) bool { return a.user == user })
	p.membersUntil = time.Time{}
}

// byEmail returns the user of an e-mail address, from the cache or by users.lookupByEmail.
func (p *profileCache) byEmail(
	ctx context.Context, mail string,
) (user string, found profile, err error) {
	mail = strings.ToLower(mail)
	p.mu.Lock()
	a, known := p.addresses[mail]
	p.mu.Unlock()
	if known && time.Now().Before(a.until) {
		return a.user, a.profile, a.err
	}
	err = p.client.call(ctx, "users.lookupByEmail", true, func(ctx context.Context) error {
		u, err := p.client.api.GetUserByEmailContext(ctx, mail)
		if err == nil {
			user, found = u.ID, p.profileOf(*u)
		}
		return err
	})
	life := addressTTL
	switch {
	case isUnknownUser(err):
		life = addressMissTTL
	case err != nil:
		return "", profile{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.addresses) >= maxProfiles {
		for other := range p.addresses {
			delete(p.addresses, other)
			break
		}
	}
	p.addresses[mail] = address{user, found, err, time.Now().Add(life)}
	return user, found, err
}

// isUnknownUser returns true for an error which says that Slack has no such user.
func isUnknownUser(err error) bool {
	switch code(err) {
	case "users_not_found", "user_not_found", "user_not_visible":
		return true
	}
	return false
}

// list returns the profiles of the whole workspace by user id.
func (p *profileCache) list(ctx context.Context) (map[string]profile, error) {
	p.listMu.Lock() // one list at a time: it is long, and users.list is slow to be allowed again
	defer p.listMu.Unlock()
	p.mu.Lock()
	everybody, until := p.members, p.membersUntil
	p.mu.Unlock()
	if time.Now().Before(until) {
		return everybody, nil
	}
	everybody = map[string]profile{}
	pages := p.client.api.GetUsersPaginated(slackgo.GetUsersOptionLimit(pageSize))
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
			everybody[u.ID] = p.profileOf(u)
		}
		if pages.Cursor == "" {
			break
		}
	}
	p.mu.Lock()
	p.members, p.membersUntil = everybody, time.Now().Add(memberListTTL)
	p.mu.Unlock()
	return everybody, nil
}
