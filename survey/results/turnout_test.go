package results

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// roleCounts returns the counts of roles r1, r2, ... from pairs of invited and finished.
func roleCounts(pairs ...[2]int) []RoleCount {
	var counts []RoleCount
	for i, p := range pairs {
		counts = append(counts, RoleCount{fmt.Sprint("r", i+1), p[0], p[1]})
	}
	return counts
}

func turnoutOf(counts []RoleCount) Turnout {
	t := Turnout{Roles: counts}
	for _, c := range counts {
		t.Invited += c.Invited
		t.Finished += c.Finished
	}
	return t
}

func TestTurnoutByRole(t *testing.T) {
	for _, c := range []struct {
		about     string
		hasRoster bool
		roles     [][2]int // invited and finished
		want      string   // finished of invited
	}{
		{"all large enough", true, [][2]int{{9, 5}, {8, 8}}, "5 of 9, 8 of 8"},
		{"nobody invited hides nothing", true, [][2]int{{9, 5}, {0, 0}}, "5 of 9, 0 of 0"},
		{"the only parent, who did not answer", true, [][2]int{{9, 9}, {8, 7}, {1, 0}}, "9 of 9, [c] of [c], [c] of [c]"},
		{"the only parent, who did", true, [][2]int{{9, 9}, {8, 7}, {1, 1}}, "9 of 9, [c] of [c], [c] of [c]"},
		{"nobody invited, but somebody withdrew", true, [][2]int{{9, 9}, {7, 7}, {0, 0}, {-1, 0}}, "9 of 9, [c] of [c], [c] of [c]"},
		{"two small ones that are enough together", true, [][2]int{{9, 9}, {3, 3}, {4, 2}}, "9 of 9, [c] of [c], [c] of [c]"},
		{"two small ones that are not", true, [][2]int{{9, 9}, {3, 3}, {4, 1}, {6, 6}}, "9 of 9, [c] of [c], [c] of [c], [c] of [c]"},
		{"many invited and few finished", true, [][2]int{{9, 9}, {30, 4}, {40, 4}}, "9 of 9, [c] of [c], [c] of [c]"},
		{"no roster: nobody of a role may have been asked or not", false, [][2]int{{0, 9}, {0, 0}, {0, 5}}, "9 of [x], [c] of [x], [c] of [x]"},
	} {
		t.Run(c.about, func(t *testing.T) {
			var got []string
			turnout := turnoutOf(roleCounts(c.roles...))
			if last := len(c.roles) - 1; c.roles[last][0] < 0 { // stands for somebody who withdrew
				turnout = turnoutOf(roleCounts(c.roles[:last]...))
				turnout.Withdrawn = 1
			}
			for _, r := range turnout.Disclose(5, c.hasRoster).Roles {
				text := fmt.Sprintf("%v of %v", r.Finished, r.Invited)
				got = append(got, text)
			}
			if got := strings.Join(got, ", "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestTurnoutByOpenLink hides how many finished by the open link where they, or those who finished
// otherwise, are few.
func TestTurnoutByOpenLink(t *testing.T) {
	for _, c := range []struct {
		finished, openLink int
		want               string
		used               bool
	}{
		{20, 0, "0", false}, {20, 12, "12", true}, {12, 12, "12", true}, {20, 4, "[c]", true}, {20, 16, "[c]", true}, {9, 5, "[c]", true}, {10, 5, "5", true},
	} {
		tally := NewTally(madeUpMatrix(1, 4, 1))
		tally.SetTurnout(Turnout{Invited: 30, Finished: c.finished, OpenLink: c.openLink})
		p := Publish(tally, Context{Round: "r7", MinGroup: 5})
		if got := p.Turnout.OpenLink.String(); got != c.want || p.Turnout.UsedOpenLink() != c.used {
			t.Errorf("%d of %d: %s, %v", c.openLink, c.finished, got, p.Turnout.UsedOpenLink())
		}
		b, err := json.Marshal(p)
		if err != nil || strings.Contains(string(b), `"open_link"`) != c.used {
			t.Errorf("%d of %d: the JSON has it: %v, %v", c.openLink, c.finished, !c.used, err)
		}
	}
}

// TestNoSmallRoleIsPublished looks for small numbers in all that is published of a turnout: as they
// are, or as what the total leaves for the roles that are hidden.
func TestNoSmallRoleIsPublished(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := madeUpMatrix(1, 4, rapid.IntRange(1, 6).Draw(t, "roles"))
		min := rapid.IntRange(MinGroupFloor, 8).Draw(t, "min")
		var counts []RoleCount
		for _, role := range m.Roles() {
			n := rapid.IntRange(0, 12).Draw(t, "invited")
			counts = append(counts, RoleCount{role.ID, n, rapid.IntRange(0, n).Draw(t, "finished")})
		}
		tally := NewTally(m)
		tally.SetTurnout(turnoutOf(counts))
		b, err := json.Marshal(Publish(tally, Context{Round: "r7", MinGroup: min}))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Turnout        struct{ Invited, Finished int }
			Representation []struct{ Invited, Finished any }
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		invited, finished := got.Turnout.Invited, got.Turnout.Finished
		hidden, shown := 0, 0
		for i, r := range got.Representation {
			n, isNumber := r.Finished.(float64)
			if !isNumber {
				hidden++
				continue
			}
			if n > 0 {
				shown++
			}
			if of := r.Invited.(float64); int(of) > 0 && int(n) < min {
				t.Errorf("%v of %v shown of %+v", n, of, counts[i])
			}
			invited -= int(r.Invited.(float64))
			finished -= int(n)
		}
		if hidden > 0 && shown > 0 && (hidden == 1 || finished < min || invited < min) {
			t.Errorf("%d roles are hidden, of which %d of %d finished: %+v", hidden, finished, invited, counts)
		}
	})
}
