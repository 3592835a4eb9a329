package discordschema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"maturitybot/adapters/discord/discordschema"
)

const silent = `"allowed_mentions":{"parse":[]}`

func v2(components string) string {
	return `{"flags":32768,` + silent + `,"components":[` + components + `]}`
}

func button(id int) string {
	return fmt.Sprintf(`{"type":2,"style":1,"label":"a","custom_id":"go:%d"}`, id)
}

func input(id int, more string) string {
	return fmt.Sprintf(`{"type":18,"label":"a","component":{"type":4,"style":1,"custom_id":"f%d"%s}}`, id, more)
}

func modal(components string) string {
	return `{"custom_id":"m","title":"t","components":[` + components + `]}`
}

func choose(more string) string {
	return v2(`{"type":1,"components":[{"type":3,"custom_id":"s","options":[{"label":"a","value":"a","default":true},{"label":"b","value":"b","default":true}]` + more + `}]}`)
}

func check(t *testing.T, what, body string) error {
	t.Helper()
	err := discordschema.Validate(what, []byte(body))
	if errors.Is(err, discordschema.ErrMissing) {
		t.Skipf("not held against the schema: %v", err)
	}
	return err
}

func TestValidBodies(t *testing.T) {
	for _, c := range [][2]string{
		{discordschema.Message, v2(`{"type":10,"content":"a"}`)},
		{discordschema.Message, `{"content":"a","nonce":"n","enforce_nonce":true,` + silent + `,"components":[{"type":1,"components":[` + button(1) + `]}]}`},
		{discordschema.Edit, v2(`{"type":10,"content":"a"}`)},
		{discordschema.EditOriginal, v2(`{"type":10,"content":"a"}`)},
		{discordschema.Followup, `{"flags":32832,` + silent + `,"components":[{"type":10,"content":"a"}]}`},
		{discordschema.Response, `{"type":1}`},
		{discordschema.Response, `{"type":5,"data":{"flags":64}}`},
		{discordschema.Response, `{"type":6}`},
		{discordschema.Response, `{"type":7,"data":` + v2(`{"type":10,"content":"a"}`) + `}`},
		{discordschema.Response, `{"type":9,"data":` + modal(input(1, "")) + `}`},
		{discordschema.Modal, modal(input(1, "") + `,{"type":10,"content":"a"}`)},
		{discordschema.Commands, `[{"type":1,"name":"a-b","description":"c","default_member_permissions":32}]`},
	} {
		if err := check(t, c[0], c[1]); err != nil {
			t.Errorf("%s %s: %v", c[0], c[1], err)
		}
	}
}

func TestInvalidBodies(t *testing.T) {
	forty := strings.TrimSuffix(strings.Repeat(`{"type":14},`, 40), ",")
	rows := strings.TrimSuffix(strings.Repeat(`{"type":1,"components":[`+button(1)+`]},`, 6), ",")
	for i := range 6 {
		rows = strings.Replace(rows, "go:1\"", fmt.Sprintf("go:x%d\"", i), 1)
	}
	for want, c := range map[string][2]string{
		"no such body":            {"Nonsense", `{}`},
		"read Message":            {discordschema.Message, `{`},
		"people could be":         {discordschema.Message, `{"content":"a"}`},
		"people could be notifie": {discordschema.Message, `{"content":"a","allowed_mentions":{"parse":null}}`},
		"content of 2001":         {discordschema.Message, `{"content":"` + strings.Repeat("a", 2001) + `",` + silent + `}`},
		"6 rows":                  {discordschema.Message, `{` + silent + `,"components":[` + rows + `]}`},
		"without the flag":        {discordschema.Message, `{` + silent + `,"components":[{"type":10,"content":"a"}]}`},
		"embeds of 6001":          {discordschema.Message, `{` + silent + `,"embeds":[{"description":"` + strings.Repeat("a", 4000) + `"},{"description":"` + strings.Repeat("a", 2001) + `"}]}`},
		"beside Components V2":    {discordschema.Message, `{"flags":32768,"content":"a",` + silent + `,"components":[{"type":14}]}`},
		"without components":      {discordschema.Message, v2(``)},
		"41 components":           {discordschema.Message, v2(`{"type":17,"components":[` + forty + `]}`)},
		"4001 characters of text": {discordschema.Message, v2(`{"type":10,"content":"` + strings.Repeat("a", 4000) + `"},{"type":10,"content":"a"}`)},
		"white space":             {discordschema.Message, v2(`{"type":10,"content":" \n"}`)},
		"\"go:1\" twice":          {discordschema.Message, v2(`{"type":1,"components":[` + button(1) + `,` + button(1) + `]}`)},
		"seen by one person":      {discordschema.Message, `{"flags":32832,` + silent + `,"components":[{"type":14}]}`},
		"nonce":                   {discordschema.Message, `{"content":"a","nonce":"n",` + silent + `}`},
		"no attachment":           {discordschema.Message, v2(`{"type":13,"file":{"url":"attachment://a.csv"}}`)},
		"stays unseen":            {discordschema.Message, `{"flags":32768,` + silent + `,"components":[{"type":14}],"attachments":[{"id":"0","filename":"a"}]}`},
		"without a label":         {discordschema.Message, v2(`{"type":1,"components":[{"type":2,"style":1,"custom_id":"a"}]}`)},
		"without custom_id":       {discordschema.Message, v2(`{"type":1,"components":[{"type":2,"style":1,"label":"a"}]}`)},
		"something beside it":     {discordschema.Message, v2(`{"type":1,"components":[` + button(1) + `,{"type":5,"custom_id":"s"}]}`)},
		"2 chosen":                {discordschema.Message, choose("")},
		"values of 2":             {discordschema.Message, choose(`,"max_values":3`)},
		"may be empty":            {discordschema.Message, choose(`,"max_values":2,"min_values":0,"required":true`)},
		"6 parts":                 {discordschema.Modal, modal(strings.Join([]string{input(1, ""), input(2, ""), input(3, ""), input(4, ""), input(5, ""), input(6, "")}, ","))},
		"\"f1\" twice":            {discordschema.Modal, modal(input(1, "") + "," + input(1, ""))},
		"more than it takes":      {discordschema.Modal, modal(input(1, `,"max_length":2,"value":"abc"`))},
		"no answer of type 3":     {discordschema.Response, `{"type":3}`},
		"may have 64 only":        {discordschema.Response, `{"type":5,"data":{"flags":32832}}`},
		"name \"A\"":              {discordschema.Commands, `[{"name":"A","description":"c"}]`},
		"name \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"": {discordschema.Commands, `[{"name":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","description":"c"}]`},
		"\"a\" twice":          {discordschema.Commands, `[{"name":"a","description":"c"},{"name":"a","description":"c"}]`},
		"asks for more":        {discordschema.Commands, `[{"name":"a","description":"c","options":[{"type":3,"name":"o","description":"d","autocomplete":true,"choices":[{"name":"n","value":"v"}]}]}]`},
		"beside other options": {discordschema.Commands, `[{"name":"a","description":"c","options":[{"type":1,"name":"o","description":"d"},{"type":3,"name":"p","description":"d"}]}]`},
		"is required":          {discordschema.Commands, `[{"name":"a","description":"c","options":[{"type":3,"name":"o","description":"d"},{"type":3,"name":"p","description":"d","required":true}]}]`},
		"not a list":           {discordschema.Commands, `{}`},
		// What the document says.
		"maxLength: got 81, want 80": {discordschema.Message, v2(`{"type":1,"components":[{"type":2,"style":1,"custom_id":"a","label":"` + strings.Repeat("a", 81) + `"}]}`)},
		"minItems: got 0, want 1":    {discordschema.Modal, modal(`{"type":1,"components":[]}`)},
		"additional properties":      {discordschema.Message, `{"contents":"a",` + silent + `}`},
		"maxLength: got 46, want 45": {discordschema.Response, `{"type":9,"data":{"custom_id":"a","title":"` + strings.Repeat("a", 46) + `","components":[` + input(1, "") + `]}}`},
	} {
		if err := check(t, c[0], c[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want a refusal that says %q, got %v", want, err)
		}
	}
}
