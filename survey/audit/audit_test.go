package audit_test

import (
	"slices"
	"testing"
	"time"

	"maturitybot/survey/audit"
)

// TestVerifyFindsFirstBroken changes a chain in every way.
func TestVerifyFindsFirstBroken(t *testing.T) {
	at := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)
	chain := func() []audit.Entry {
		var all []audit.Entry
		last := audit.Entry{}
		for _, act := range []audit.Action{audit.Created, audit.Opened, audit.Extended, audit.Closed} {
			last = audit.Entry{At: at, By: "p:w:ana", Action: act, Changes: []audit.Change{{Field: "closes", Old: "a", New: "b"}, {Field: "place", Old: "c", New: "d"}}}.Chain("r", last)
			all = append(all, last)
		}
		return all
	}
	if broken := audit.Verify("r", chain()); broken != 0 {
		t.Fatalf("a whole chain is broken at %d", broken)
	}
	// Saved logs and exported files have these hashes, so they must not change.
	if got, want := chain()[1].Hash, "8b04f5c3d6b82604c9bf0091bd9535b073b15263685a26d02a3764542ed4f92e"; got != want {
		t.Errorf("the second hash is %s, want %s", got, want)
	}
	if got, want := chain()[1].Fingerprint(), chain()[1].Hash[:4]+" "+chain()[1].Hash[4:8]+" "+chain()[1].Hash[8:12]+" "+chain()[1].Hash[12:16]; got != want {
		t.Errorf("the fingerprint is %q, want %q", got, want)
	}
	for what, c := range map[string]struct {
		broken int
		tamper func([]audit.Entry) []audit.Entry
	}{
		"who":           {3, func(all []audit.Entry) []audit.Entry { all[2].By = "p:w:ben"; return all }},
		"when":          {3, func(all []audit.Entry) []audit.Entry { all[2].At = at.Add(time.Second); return all }},
		"what":          {3, func(all []audit.Entry) []audit.Entry { all[2].Action = audit.Team; return all }},
		"new":           {3, func(all []audit.Entry) []audit.Entry { all[2].Changes[1].New = "e"; return all }},
		"old":           {3, func(all []audit.Entry) []audit.Entry { all[2].Changes[0].Old = "e"; return all }},
		"field":         {3, func(all []audit.Entry) []audit.Entry { all[2].Changes[0].Field = "e"; return all }},
		"a change gone": {3, func(all []audit.Entry) []audit.Entry { all[2].Changes = all[2].Changes[:1]; return all }},
		"changes hidden in the action": {3, func(all []audit.Entry) []audit.Entry {
			all[2].Action += "\ncloses\na\nb\nplace\nc\nd"
			all[2].Changes = nil
			return all
		}},
		"a mark for a space": {3, func(all []audit.Entry) []audit.Entry {
			all[2].Changes[1].New = "d e"
			all[2] = all[2].Chain("r", all[1])
			all[3] = all[3].Chain("r", all[2])
			all[2].Changes[1].New = "d\x1be"
			return all
		}},
		"hash":           {3, func(all []audit.Entry) []audit.Entry { all[2].Hash = all[1].Hash; return all }},
		"one gone":       {2, func(all []audit.Entry) []audit.Entry { return slices.Delete(all, 1, 2) }},
		"two changed":    {2, func(all []audit.Entry) []audit.Entry { all[1], all[2] = all[2], all[1]; return all }},
		"the first gone": {1, func(all []audit.Entry) []audit.Entry { return all[1:] }},
		"one gone, the rest renumbered": {2, func(all []audit.Entry) []audit.Entry {
			all = slices.Delete(all, 1, 2)
			all[1].Seq = 2
			return all
		}},
		"all gone": {1, func([]audit.Entry) []audit.Entry { return nil }},
		"a new chain": {1, func([]audit.Entry) []audit.Entry {
			return []audit.Entry{audit.Entry{At: at, Action: audit.Team}.Chain("r", audit.Entry{})}
		}},
		"one appended": {5, func(all []audit.Entry) []audit.Entry {
			return append(all, audit.Entry{Seq: 5, Action: audit.Team})
		}},
		"hashed again in place": {4, func(all []audit.Entry) []audit.Entry {
			all[2].By = "p:w:ben"
			all[2] = all[2].Chain("r", all[1])
			return all
		}},
	} {
		if broken := audit.Verify("r", c.tamper(chain())); broken != c.broken {
			t.Errorf("%s: broken at %d, want %d", what, broken, c.broken)
		}
	}
	if broken := audit.Verify("another", chain()); broken != 1 {
		t.Errorf("as another round's, the chain is broken at %d", broken)
	}
}
