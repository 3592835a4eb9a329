package survey

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func TestParseLinkKeys(t *testing.T) {
	raw := []byte(strings.Repeat("\xfbk\xff", 12)) // 36 bytes, with + and / in base64
	other := strings.Repeat("ab", LinkKeyBytes)
	forms := []string{
		hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw),
		base64.RawURLEncoding.EncodeToString(raw[:34]), " " + strings.ToUpper(hex.EncodeToString(raw)) + "\n",
	}
	for _, form := range forms {
		keys, err := ParseLinkKeys(form + "," + other)
		if err != nil || len(keys) != 2 || !strings.HasPrefix(string(raw), string(keys[0])) {
			t.Errorf("%q: %d keys, %v", form, len(keys), err)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
			if printed := fmt.Sprintf(verb, keys); strings.Contains(printed, "fb") {
				t.Errorf("%s prints %s", verb, printed)
			}
		}
	}
	for _, wrong := range []string{
		"", ",", other + ",", other + "," + other, "secret?!", strings.Repeat("ab", LinkKeyBytes-1),
	} {
		keys, err := ParseLinkKeys(wrong)
		if err == nil || keys != nil {
			t.Errorf("%q: %d keys", wrong, len(keys))
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "abab") {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

// TestDerivedFromKeys pins what is derived from a key, because links that were sent must go on
// working.
func TestDerivedFromKeys(t *testing.T) {
	key := linkKey(strings.Repeat("k", LinkKeyBytes))
	for got, want := range map[string]string{
		key.token("r1", []byte("seed")):         "61_9JjwxCRq_Ax324jBPI-SMu-u5B2G3RIPa6q2WqbM",
		formatCode(key.code("r1", "op")):        "EE6Z-SXBW-1QTY-T2F6-BVFN",
		string(key.person("r1", "op")):          "web::ov4fwyd46pfrpkxoqun2h3mspaq",
		key.hash("r1", "credential"):            "x5ONN64grAQFBtgy5Ez4_FcC4-AOrU52KzwP9NOHMYk",
		key.fingerprint():                       "wTyBTNfLPHrv",
		formatCode("0123456789ABCDEFGHJK"):      "0123-4567-89AB-CDEF-GHJK",
		fmt.Sprint(PersonID("web::x").ByLink()): "true",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if key.token("r1", []byte("seed")) == key.token("r2", []byte("seed")) {
		t.Error("two rounds have one token")
	}
	for _, person := range []PersonID{"slack:T1:Uweb", "webex::p1", "discord::web:"} {
		if person.ByLink() {
			t.Errorf("%s takes part by link", person)
		}
	}
}
