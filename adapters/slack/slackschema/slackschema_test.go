package slackschema

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	const button = `{"type":"button","action_id":"a","text":{"type":"plain_text","text":"x"}}`
	message := func(blocks string) string { return `{"text":"","blocks":[` + blocks + `]}` }
	menu := func(rest string) string {
		return message(`{"type":"actions","elements":[{"type":"static_select","action_id":"a","options":[{"text":{"type":"plain_text","text":"x"},"value":"1"}]` + rest + `}]}`)
	}
	for body, want := range map[string]string{
		message(`{"type":"actions","elements":[` + button + `]}`):                      "",
		message(`{"type":"actions","elements":[` + button + `,` + button + `]}`):       `action_id "a"`,
		message(`{"type":"divider","block_id":"b"},{"type":"divider","block_id":"b"}`): `block_id "b"`,
		message(`{"type":"actions","elements":[]}`):                                    "empty elements",
		message(`{"type":"header","text":{"type":"plain_text","text":""}}`):            "empty text",
		menu(``): "",
		menu(`,"initial_option":{"text":{"type":"plain_text","text":"x"},"value":"1"}`):                     "",
		menu(`,"initial_option":{"text":{"type":"plain_text","text":"x"},"value":"2"}`):                     "none of the options",
		message(`{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("x", 151) + `"}}`): "schema",
		`{`: "read Message",
	} {
		err := Validate(Message, []byte(body))
		if errors.Is(err, ErrMissing) {
			if os.Getenv("MATURITYBOT_REQUIRE_SPECS") != "" {
				t.Fatal(err)
			}
			if want != "" && want != "schema" {
				t.Errorf("%s: found in order", body)
			}
			continue
		}
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", body, err)
		case want != "" && err == nil, want != "" && want != "schema" && !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	if err := Validate("Dialog", []byte(`{}`)); err == nil {
		t.Error("an unknown kind is in order")
	}
}
