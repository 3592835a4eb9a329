package card

import (
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// ScopeName returns the name of a scope.
func ScopeName(v locale.Voice, scope survey.Scope) string {
	switch scope {
	case survey.ScopeTeam:
		return v.Say("scope.team")
	case survey.ScopeOrganisation:
		return v.Say("scope.organisation")
	case survey.ScopeArea:
		return v.Say("scope.area")
	}
	return v.Say("me.none")
}

// postNames are the names of the posts that a coordinator may switch off.
var postNames = map[survey.MessageKind]string{
	survey.Opened:      "posts.name_opened",
	survey.Digest:      "posts.name_digest",
	survey.LastDay:     "posts.name_last",
	survey.ResultsPost: "posts.name_results",
	survey.WorkshopEve: "posts.name_eve",
}

// PostName returns the name of a post that a coordinator may switch off, or "" for any other kind.
func PostName(v locale.Voice, kind survey.MessageKind) string {
	key, ok := postNames[kind]
	if !ok {
		return ""
	}
	return v.Say(key)
}
