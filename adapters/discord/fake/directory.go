package fake

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func thread(c *Channel) bool { return c.Type >= 10 && c.Type <= 12 }

// rights are the bot's permissions in a channel (topics/permissions.mdx).
func (s *Server) rights(c *Channel) uint64 {
	roles := s.users[App].Roles
	may := s.roles[Guild].Permissions
	for _, r := range roles {
		may |= s.roles[r].Permissions
	}
	if may&administrator != 0 {
		return may
	}
	overwrites := c.Overwrites
	if parent := s.channels[c.Parent]; parent != nil {
		overwrites = parent.Overwrites
	}
	var allow, deny uint64
	for _, o := range overwrites {
		switch {
		case o.ID == Guild:
			may = may&^o.Deny | o.Allow
		case slices.Contains(roles, o.ID):
			allow, deny = allow|o.Allow, deny|o.Deny
		}
	}
	may = may&^deny | allow
	for _, o := range overwrites {
		if o.ID == App {
			may = may&^o.Deny | o.Allow
		}
	}
	if c.Closed {
		may &^= Send | SendInThreads
	}
	if c.Hidden || may&View == 0 {
		return 0
	}
	return may
}

// look answers questions about people and places.
func (s *Server) look(op string, path []string, query url.Values) (any, error) {
	profile := func(u *User) answer { return answer{"id": u.ID, "username": u.Name, "bot": u.Bot} }
	member := func(u *User) answer {
		return answer{"user": profile(u), "roles": slices.Concat([]string{}, u.Roles), "nick": nil}
	}
	if path[0] == "guilds" && path[1] != Guild {
		return nil, missingAccess
	}
	switch op {
	case "user":
		if u := s.users[path[1]]; u != nil {
			return profile(u), nil
		}
		return nil, unknownUser
	case "member":
		u := s.users[path[3]]
		switch {
		case u == nil:
			return nil, unknownUser
		case u.Outside:
			return nil, unknownMember
		}
		return member(u), nil
	case "members":
		if !s.members {
			return nil, missingAccess
		}
		most, _ := strconv.Atoi(query.Get("limit"))
		out := []answer{}
		for _, id := range slices.Sorted(maps.Keys(s.users)) {
			u := s.users[id]
			if len(out) < max(1, min(most, 1000)) && id > query.Get("after") && !u.Outside {
				out = append(out, member(u))
			}
		}
		return out, nil
	case "search":
		out := []answer{}
		prefix := strings.ToLower(query.Get("query"))
		for _, id := range slices.Sorted(maps.Keys(s.users)) {
			u := s.users[id]
			if !u.Outside && strings.HasPrefix(strings.ToLower(u.Name), prefix) {
				out = append(out, member(u))
			}
		}
		return out, nil
	case "channel":
		if path[1][0] == '9' {
			if s.users[userOf(path[1])] == nil {
				return nil, unknownChannel
			}
			return answer{"id": path[1], "type": 1}, nil
		}
		c := s.channels[path[1]]
		switch {
		case c == nil:
			return nil, unknownChannel
		case s.rights(c)&View == 0 && cmp.Or(c.Guild, Guild) == Guild:
			return nil, missingAccess
		}
		over := []answer{}
		for _, o := range c.Overwrites {
			over = append(over, answer{
				"id": o.ID, "allow": strconv.FormatUint(o.Allow, 10), "deny": strconv.FormatUint(o.Deny, 10),
			})
		}
		return answer{
			"id": c.ID, "type": c.Type, "guild_id": cmp.Or(c.Guild, Guild), "parent_id": c.Parent,
			"permission_overwrites": over,
			"thread_metadata":       answer{"archived": c.Locked, "locked": c.Locked},
		}, nil
	}
	roles := []answer{}
	for _, id := range slices.Sorted(maps.Keys(s.roles)) {
		permissions := strconv.FormatUint(s.roles[id].Permissions, 10)
		roles = append(roles, answer{"id": id, "permissions": permissions})
	}
	return answer{"id": Guild, "owner_id": Owner, "roles": roles}, nil
}
