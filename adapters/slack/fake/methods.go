package fake

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"maturitybot/adapters/slack/slackschema"
)

// methods are the methods of the Web API that a bot token may call, by name.
var methods = map[string]func(*Server, args) (answer, error){
	"auth.test":                    (*Server).testAuth,
	"users.info":                   (*Server).userInfo,
	"users.lookupByEmail":          (*Server).userByEmail,
	"users.list":                   (*Server).listUsers,
	"conversations.members":        (*Server).channelMembers,
	"conversations.info":           (*Server).channelInfo,
	"chat.postMessage":             (*Server).postMessage,
	"chat.getPermalink":            (*Server).permalink,
	"chat.postEphemeral":           (*Server).postEphemeral,
	"chat.update":                  (*Server).updateMessage,
	"views.open":                   (*Server).openView,
	"views.update":                 (*Server).updateView,
	"views.publish":                (*Server).publishView,
	"files.getUploadURLExternal":   (*Server).uploadURL,
	"files.completeUploadExternal": (*Server).complete,
}

func (s *Server) testAuth(_ args) (answer, error) {
	return answer{
		"url": "https://fake.slack.com/", "team": "Fake", "user": "maturity",
		"team_id": Team, "user_id": Bot, "bot_id": BotID,
	}, nil
}

func (s *Server) userInfo(a args) (answer, error) {
	u, err := s.user(a["user"])
	if err != nil {
		return nil, err
	}
	return answer{"user": u.profile(a["include_locale"] == "true")}, nil
}

func (s *Server) userByEmail(a args) (answer, error) {
	for _, u := range s.users {
		if u.Email != "" && strings.EqualFold(u.Email, a["email"]) && !u.Deleted {
			return answer{"user": u.profile(false)}, nil
		}
	}
	return nil, refusal("users_not_found")
}

func (s *Server) listUsers(a args) (answer, error) {
	unlisted := func(id string) bool { return s.users[id].Stranger || s.users[id].Gone }
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(s.users)), unlisted)
	ids, next := paged(ids, a)
	members := []answer{}
	for _, id := range ids {
		members = append(members, s.users[id].profile(false))
	}
	return answer{"members": members, "response_metadata": answer{"next_cursor": next}}, nil
}

func (s *Server) channelMembers(a args) (answer, error) {
	c := s.channels[a["channel"]]
	if c == nil || c.Private && !c.BotIn {
		return nil, refusal("channel_not_found")
	}
	ids := slices.Clone(c.Members)
	if c.BotIn {
		ids = append(ids, Bot)
	}
	ids, next := paged(ids, a)
	return answer{"members": ids, "response_metadata": answer{"next_cursor": next}}, nil
}

func (s *Server) channelInfo(a args) (answer, error) {
	c := s.channels[a["channel"]]
	if c == nil || c.Private && !c.BotIn {
		return nil, refusal("channel_not_found")
	}
	return answer{"channel": answer{
		"id": c.ID, "is_archived": c.Archived, "is_member": c.BotIn, "is_private": c.Private,
	}}, nil
}

func (s *Server) postMessage(a args) (answer, error) {
	channel, err := s.place(a["channel"])
	if err != nil {
		return nil, err
	}
	m, err := s.draw(a)
	if err != nil {
		return nil, err
	}
	m.Channel = channel
	s.messages = append(s.messages, m)
	return answer{"channel": channel, "ts": m.TS, "message": answer{"text": m.Text}}, nil
}

func (s *Server) permalink(a args) (answer, error) {
	if m := s.find(a["channel"], a["message_ts"]); m == nil || m.For != "" {
		return nil, refusal("message_not_found")
	}
	at := strings.ReplaceAll(a["message_ts"], ".", "")
	return answer{"permalink": "https://fake.slack.com/archives/" + a["channel"] + "/p" + at}, nil
}

func (s *Server) postEphemeral(a args) (answer, error) {
	channel, err := s.place(a["channel"])
	if err != nil {
		return nil, err
	}
	if c := s.channels[channel]; c != nil && !slices.Contains(c.Members, a["user"]) {
		return nil, refusal("user_not_in_channel")
	}
	m, err := s.draw(a)
	if err != nil {
		return nil, err
	}
	m.Channel, m.For = channel, a["user"]
	s.messages = append(s.messages, m)
	return answer{"message_ts": m.TS}, nil
}

func (s *Server) updateMessage(a args) (answer, error) {
	m := s.find(a["channel"], a["ts"])
	switch {
	case m == nil, m.For != "":
		return nil, refusal("message_not_found")
	case m.From != Bot:
		return nil, refusal("cant_update_message")
	case utf8.RuneCountInString(a["text"]) > 4000:
		return nil, refusal("msg_too_long")
	}
	if err := s.redraw(m, a); err != nil {
		return nil, err
	}
	return answer{"channel": m.Channel, "ts": m.TS, "text": m.Text}, nil
}

func (s *Server) openView(a args) (answer, error) {
	t := s.triggers[a["trigger_id"]]
	switch {
	case t == nil:
		return nil, refusal("invalid_trigger_id")
	case t.used:
		return nil, refusal("exchanged_trigger_id")
	case time.Since(t.made) > s.AckLimit():
		return nil, refusal("expired_trigger_id")
	}
	t.used = true
	v, err := s.view(slackschema.Modal, a["view"])
	if err != nil {
		return nil, err
	}
	s.modals[t.user] = v
	return v.asAnswer("modal"), nil
}

func (s *Server) updateView(a args) (answer, error) {
	for user, old := range s.modals {
		if old.ID != a["view_id"] {
			continue
		}
		v, err := s.view(slackschema.Modal, a["view"])
		if err != nil {
			return nil, err
		}
		v.ID = old.ID
		s.modals[user] = v
		return v.asAnswer("modal"), nil
	}
	return nil, refusal("not_found")
}

func (s *Server) publishView(a args) (answer, error) {
	if _, err := s.user(a["user_id"]); err != nil {
		return nil, err
	}
	if old := s.homes[a["user_id"]]; old != nil && a["hash"] != "" && a["hash"] != old.Hash {
		return nil, refusal("hash_conflict")
	}
	v, err := s.view(slackschema.Home, a["view"])
	if err != nil {
		return nil, err
	}
	s.homes[a["user_id"]] = v
	return v.asAnswer("home"), nil
}

func (s *Server) uploadURL(a args) (answer, error) {
	if a["filename"] == "" || a.number("length", 0) < 1 {
		return nil, refusal("invalid_arguments")
	}
	f := &File{ID: s.id("F"), Name: a["filename"], Alt: a["alt_txt"]}
	s.files[f.ID] = f
	address := "http://slack.fake/upload/" + f.ID + "?length=" + a["length"]
	return answer{"upload_url": address, "file_id": f.ID}, nil
}

func (s *Server) user(id string) (*User, error) {
	u := s.users[id]
	if u == nil || u.Gone {
		return nil, refusal("user_not_found")
	}
	return u, nil
}

// profile is a user in the form of the Web API.
func (u *User) profile(locale bool) answer {
	team := Team
	if u.Stranger {
		team = Other
	}
	out := answer{
		"id": u.ID, "team_id": team, "name": strings.ToLower(u.ID), "deleted": u.Deleted,
		"is_bot": u.Bot, "is_admin": u.Admin, "is_owner": false, "is_primary_owner": false,
		"is_restricted": u.Guest, "is_ultra_restricted": false, "is_stranger": u.Stranger,
		"is_app_user": false, "tz": u.Zone, "updated": time.Now().Unix(),
		"profile": answer{"email": u.Email, "real_name": u.ID},
	}
	if locale {
		out["locale"] = cmp.Or(u.Locale, "en-GB")
	}
	return out
}

// paged returns one page of a list, and the cursor of the next.
func paged(all []string, a args) (page []string, next string) {
	from := min(a.number("cursor", 0), len(all))
	to := min(len(all), from+min(a.number("limit", 100), 1000))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next
}
