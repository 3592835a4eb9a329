package bot

import "testing"

// TestVerbInTwoTables: a verb that stands in two tables of routes ends the program at its start.
func TestVerbInTwoTables(t *testing.T) {
	all := map[string]route{"home": {}}
	defer func() {
		if recover() == nil {
			t.Error("the second route of a verb was accepted")
		}
	}()
	addRoutes(all, map[string]route{"home": {}}, func(*route) {})
}
