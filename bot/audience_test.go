package bot

import (
	"errors"
	"testing"

	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// TestCreatorRights: only a person who may start rounds has the rights of a creator.
func TestCreatorRights(t *testing.T) {
	named := chat.Person{Platform: "slack", Workspace: "T1", ID: "U1"}
	other := chat.Person{Platform: "slack", Workspace: "T1", ID: "U2"}
	b := New(Options{Rounds: &survey.Rounds{}, Tools: Tools{Creators: []chat.Person{named}}})
	for _, c := range []struct {
		name    string
		event   chat.Event
		allowed bool
	}{
		{"named in the configuration", chat.Event{Who: named}, true},
		{"admin", chat.Event{Who: other, Admin: true}, true},
		{"anybody else", chat.Event{Who: other}, false},
	} {
		h := creator{}.of(b, &request{Event: c.event, person: person(c.event.Who)})
		rights, err := h.rights()
		if (err == nil) != c.allowed || (rights != survey.Creator{}) != c.allowed {
			t.Errorf("%s: %v, %v", c.name, rights, err)
		}
		if err != nil && !errors.Is(err, errNotAllowed) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
