package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"maturitybot/bot/chat"
)

const (
	aUser    = "80351110224678912"
	anID     = "1441902345678901248"
	aChannel = "1441000000000000001"
	aGuild   = "1440000000000000000"
	anApp    = "1439000000000000000"
)

// pressed returns an interaction with a component in a conversation with the bot.
func pressed(customID string, kind int, values ...string) []byte {
	b, _ := json.Marshal(map[string]any{
		"type": 3, "id": anID, "application_id": anApp, "token": "t", "channel_id": aChannel, "user": map[string]string{"id": aUser},
		"message": map[string]any{"id": "1441900000000000000", "flags": 64},
		"data":    map[string]any{"custom_id": customID, "component_type": kind, "values": values},
	})
	return b
}

func received(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "received", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodePayloads(t *testing.T) {
	at := time.UnixMilli(1441902345678901248>>22 + 1420070400000).UTC()
	inServer := chat.Event{ID: anID, At: at, Who: person(aUser), Where: place(aGuild, aChannel), Locale: "en-GB", Community: chat.Server}
	from := origin{Interaction: anID, Application: anApp, Token: "aW50ZXJhY3Rpb246dG9rZW4", Guild: aGuild, Channel: aChannel, Rights: rights{bits: 2248473465835073}, RightsKnown: true}
	with := func(change func(*inbound)) inbound {
		g := inbound{kind: handled, event: inServer, origin: from}
		change(&g)
		return g
	}
	alone := func(g *inbound) {
		g.origin.Rights, g.origin.RightsKnown = rights{}, false
		g.event.Private, g.event.Where, g.origin.Guild, g.event.Locale = true, place("", aChannel), "", "en-US"
	}
	pressedMessage := func(g *inbound) {
		g.event.Kind, g.origin.Message, g.origin.Whispered = chat.Press, "1441902000000000000", true
	}
	for name, want := range map[string]inbound{
		"ping": {kind: ping},
		"command": with(func(g *inbound) {
			g.event.Kind, g.event.Action, g.event.Values = chat.Command, chat.NewAction("home"), map[string][]string{}
			alone(g)
		}),
		"command-welsh-help": with(func(g *inbound) {
			g.event.Kind, g.event.Action, g.event.Values, g.event.Locale = chat.Command, chat.NewAction("cymorth"), map[string][]string{}, "cy"
		}),
		"subcommand": with(func(g *inbound) {
			g.event.Kind, g.event.Action, g.event.Admin = chat.Command, chat.NewAction("invite", "Northshire"), true
			g.event.Values = map[string][]string{"role": {"midwife"}}
		}),
		"new": with(func(g *inbound) {
			g.event.Kind, g.event.Action, g.event.Admin, g.event.Locale = chat.Command, chat.NewAction("newydd"), true, "cy"
			g.event.Values = map[string][]string{"area": {"Gogledd: Sir*"}}
		}),
		"autocomplete": with(func(g *inbound) {
			g.kind, g.typing = completing, "round"
			g.event.Kind, g.event.Action, g.event.Values = chat.Command, chat.NewAction("status", "Nor"), map[string][]string{"round": {"Nor"}}
		}),
		"button": with(func(g *inbound) {
			pressedMessage(g)
			g.event.Action = chat.NewAction("answer", round, "commissioning", "2")
		}),
		"button-shared": with(func(g *inbound) {
			pressedMessage(g)
			g.origin.Whispered = false
			g.event.SharedCard = chat.CardRef{Place: g.event.Where, Message: g.origin.Message}
			g.event.Action = chat.NewAction("answer", round, "commissioning", "2")
		}),
		"button-in-dm": with(func(g *inbound) {
			pressedMessage(g)
			alone(g)
			g.origin.Whispered = false
			g.event.Action = chat.NewAction("lang", round, "en", "begin")
		}),
		"menu": with(func(g *inbound) {
			pressedMessage(g)
			g.event.Action, g.event.Values = chat.NewAction("role", round), map[string][]string{chat.Picked: {"health-visitor"}}
		}),
		"people": with(func(g *inbound) {
			pressedMessage(g)
			g.event.Action, g.event.Values = chat.NewAction("team", round), map[string][]string{chat.Picked: {"discord::" + aUser}}
		}),
		"yes": with(func(g *inbound) {
			pressedMessage(g)
			g.event.Action = chat.NewAction("erase", round)
		}),
		"no": with(func(g *inbound) {
			pressedMessage(g)
			g.kind, g.event.Action = dismissed, chat.NewAction("erase", round)
		}),
		"modal-labels": with(func(g *inbound) {
			pressedMessage(g)
			g.event.Kind, g.event.Action = chat.Submit, chat.NewAction("sendinvite", round, "en")
			g.event.Values = map[string][]string{
				"people": {"discord::" + aUser, "discord::80351110224678913"}, "role": {"midwife"}, "channel": {"discord:" + aGuild + ":" + aChannel}, "list": {"ben@example.org, Midwife\ncem"},
			}
		}),
		"modal-rows": with(func(g *inbound) {
			g.event.Kind, g.event.Action = chat.Submit, chat.NewAction("keep", round, "commissioning")
			g.event.Values = map[string][]string{"note": {"Ŵyna*"}, "barrier": {""}}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			g, err := decodeInteraction(received(t, name), specs)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(g, want) {
				t.Errorf("read\n%+v, want\n%+v", g, want)
			}
		})
	}
	entries, _ := os.ReadDir("testdata/received")
	if len(entries) != 15 {
		t.Errorf("%d recorded payloads, 15 tried", len(entries))
	}
}

func TestPersonIdentity(t *testing.T) {
	a, err := decodeInteraction(received(t, "button"), specs)
	if err != nil {
		t.Fatal(err)
	}
	b, err := decodeInteraction(received(t, "button-in-dm"), specs)
	if err != nil {
		t.Fatal(err)
	}
	if a.event.Who != b.event.Who || a.event.Where.Workspace != aGuild || b.event.Where.Workspace != "" {
		t.Errorf("%v in %v, %v in the conversation with the bot", a.event.Who, a.event.Where, b.event.Who)
	}
	back, err := chat.ParsePerson(a.event.Who.String())
	if err != nil || back != a.event.Who {
		t.Errorf("%v comes back as %v, %v", a.event.Who, back, err)
	}
	place, err := chat.ParsePlace(a.event.Where.String())
	if err != nil || place != a.event.Where {
		t.Errorf("%v comes back as %v, %v", a.event.Where, place, err)
	}
}

// An interaction that is not the bot's returns its own error, and the user to answer.
func TestDecodeForeign(t *testing.T) {
	base := func(kind int, data string) string {
		return fmt.Sprintf(`{"type":%d,"id":%q,"application_id":%q,"token":"t","channel_id":%q,"guild_id":%q,"member":{"user":{"id":%q},"permissions":"0"},"data":%s}`,
			kind, anID, anApp, aChannel, aGuild, aUser, data)
	}
	many := `"` + strings.Repeat(`1","`, maxValues) + `1"`
	for name, payload := range map[string]string{
		"type 6":                 base(6, `{}`),
		"another command":        base(2, `{"name":"play"}`),
		"no subcommand":          base(2, `{"name":"maturity"}`),
		"a group":                base(2, `{"name":"maturity","options":[{"name":"x","type":2}]}`),
		"a number":               base(2, `{"name":"maturity","options":[{"name":"status","type":1,"options":[{"name":"round","type":4,"value":1}]}]}`),
		"nothing in focus":       base(4, `{"name":"maturity","options":[{"name":"status","type":1,"options":[{"name":"round","type":3,"value":"a"}]}]}`),
		"no custom id":           base(3, `{"component_type":2}`),
		"a custom id of spaces":  base(3, `{"component_type":2,"custom_id":"a b"}`),
		"a long custom id":       base(3, `{"component_type":2,"custom_id":"`+strings.Repeat("a", 101)+`"}`),
		"an unknown component":   base(3, `{"component_type":99,"custom_id":"go:x"}`),
		"an unknown, with value": base(3, `{"component_type":99,"custom_id":"go:x","values":["1"]}`),
		"a question's button":    base(3, `{"component_type":2,"custom_id":"?erase:x"}`),
		"a third answer":         base(3, `{"component_type":3,"custom_id":"?erase:x","values":["maybe"]}`),
		"both answers":           base(3, `{"component_type":3,"custom_id":"?erase:x","values":["yes","no"]}`),
		"no answer":              base(3, `{"component_type":3,"custom_id":"?erase:x"}`),
		"a person by name":       base(3, `{"component_type":5,"custom_id":"team:x","values":["ana"]}`),
		"a person not found":     base(3, `{"component_type":5,"custom_id":"team:x","values":["`+aUser+`"]}`),
		"a channel not found":    base(3, `{"component_type":8,"custom_id":"team:x","values":["`+aUser+`"],"resolved":{"users":{"`+aUser+`":{}},"channels":{"1":{}}}}`),
		"in a form, not found":   base(5, `{"custom_id":"keep:x","components":[{"type":18,"component":{"type":5,"custom_id":"people","values":["1","2"]}}],"resolved":{"users":{"1":{}}}}`),
		"too many values":        base(3, `{"component_type":5,"custom_id":"team:x","values":[`+many+`]}`),
		"an empty value":         base(3, `{"component_type":3,"custom_id":"role:x","values":[""]}`),
		"a forged modal":         base(5, `{"custom_id":"::"}`),
		"a label without field":  base(5, `{"custom_id":"keep:x","components":[{"type":18}]}`),
		"a list as data":         base(3, `[]`),
		"a number as custom id":  base(3, `{"component_type":2,"custom_id":1}`),
		"a boolean as text":      base(5, `{"custom_id":"keep:x","components":[{"type":18,"component":{"type":4,"custom_id":"a","value":true}}]}`),
		"text as values":         base(5, `{"custom_id":"keep:x","components":[{"type":18,"component":{"type":3,"custom_id":"a","values":"x"}}]}`),
		"a field twice":          base(5, `{"custom_id":"keep:x","components":[{"type":4,"custom_id":"a"},{"type":4,"custom_id":"a"}]}`),
		"a field without id":     base(5, `{"custom_id":"keep:x","components":[{"type":4}]}`),
		"too long a text":        base(5, `{"custom_id":"keep:x","components":[{"type":4,"custom_id":"a","value":"`+strings.Repeat("a", 4001)+`"}]}`),
		"rows without end":       base(5, `{"custom_id":"keep:x","components":[`+strings.Repeat(`{"type":1,"components":[`, 5)+strings.Repeat(`]}`, 5)+`]}`),
	} {
		g, err := decodeInteraction([]byte(payload), specs)
		if !errors.Is(err, errForeign) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := inbound{kind: handled, event: chat.Event{Kind: chat.Press}}
		switch {
		case strings.HasPrefix(payload, `{"type":2,`):
			want.event.Kind, want.event.Action = chat.Command, chat.NewAction("?")
		case strings.HasPrefix(payload, `{"type":4,`):
			want.kind = completing
		}
		if g.origin.Token != "t" || g.event.Who != person(aUser) || g.kind != want.kind || g.event.Values != nil || g.typing != "" ||
			g.event.Kind != want.event.Kind || g.event.Action.Verb != want.event.Action.Verb {
			t.Errorf("%s cannot be answered, or asks for something: %+v", name, g)
		}
	}
}

// A form is decoded although it holds components of unknown types, with values of any form.
func TestDecodeUnknownComponents(t *testing.T) {
	for name, component := range map[string]string{
		"checkbox":       `{"type":18,"id":5,"component":{"type":23,"id":6,"custom_id":"k","value":true}}`,
		"checkbox group": `{"type":18,"id":5,"component":{"type":22,"id":6,"custom_id":"k","values":["a","b"]}}`,
		"radio group":    `{"type":18,"id":5,"component":{"type":21,"id":6,"custom_id":"k","value":null}}`,
		"file upload":    `{"type":18,"id":5,"component":{"type":19,"id":6,"custom_id":"k","values":["1441902000000000001"]}}`,
		"roles":          `{"type":18,"id":5,"component":{"type":6,"id":6,"custom_id":"k","values":["1441902000000000001"]}}`,
		"an object":      `{"type":18,"id":5,"component":{"type":99,"custom_id":"k","value":{"from":1},"values":{"a":1}}}`,
		"without a name": `{"type":99,"value":7}`,
	} {
		payload := fmt.Sprintf(`{"type":5,"id":%q,"application_id":"1","token":"t","channel_id":"1","user":{"id":"1"},"data":{"custom_id":"keep:x",`+
			`"components":[%s,{"type":18,"component":{"type":4,"custom_id":"note","value":"hello"}}]}}`, anID, component)
		g, err := decodeInteraction([]byte(payload), specs)
		if err != nil || !reflect.DeepEqual(g.event.Values, map[string][]string{"note": {"hello"}}) {
			t.Errorf("%s: %v, %v", name, g.event.Values, err)
		}
		if texts := typed([]byte(payload)); !slices.Equal(texts, []string{"hello"}) {
			t.Errorf("%s: typed %q", name, texts)
		}
	}
}

// A conversation between users is not one with the bot.
func TestGroupDMIgnored(t *testing.T) {
	const payload = `{"type":3,"id":"1100000000000000001","application_id":"1","token":"t","channel_id":"1","user":{"id":"1"}%s,"message":{"id":"1"},"data":{"custom_id":"kept:x","component_type":2}}`
	for with, want := range map[string]struct {
		err     error
		private bool
		guild   string
	}{
		``:                               {nil, true, ""},
		`,"context":1`:                   {nil, true, ""},
		`,"context":0,"guild_id":"7"`:    {nil, false, "7"},
		`,"guild_id":"7"`:                {nil, false, "7"},
		`,"context":2`:                   {errForeign, false, ""},
		`,"context":0`:                   {errForeign, false, ""},
		`,"context":1,"guild_id":"7"`:    {errForeign, false, "7"},
		`,"context":2,"guild_id":"7"`:    {errForeign, false, "7"},
		`,"context":9`:                   {errForeign, false, ""},
		`,"context":null,"guild_id":"7"`: {nil, false, "7"},
	} {
		g, err := decodeInteraction(fmt.Appendf(nil, payload, with), specs)
		x := &exchange{inbound: g}
		if !errors.Is(err, want.err) || g.event.Private != want.private || x.changeable() != want.private || g.event.Where != place(want.guild, "1") {
			t.Errorf("%q: %+v, %v", with, g.event, err)
		}
		if (err == nil) != (g.event.Action.Verb == "kept") {
			t.Errorf("%q asks for %v", with, g.event.Action)
		}
	}
}

func TestDecodeMalformed(t *testing.T) {
	good := `{"type":3,"id":"` + anID + `","application_id":"1","token":"t","channel_id":"1","user":{"id":"1"},"data":{"custom_id":"go:x","component_type":2}}`
	if g, err := decodeInteraction([]byte(good), specs); err != nil || !g.event.Private {
		t.Fatalf("%+v, %v", g, err)
	}
	for name, payload := range map[string]string{
		"nothing":               "",
		"no JSON":               "{",
		"a list":                "[]",
		"null":                  "null",
		"too much":              good + strings.Repeat(" ", maxPayload),
		"nobody":                strings.Replace(good, `"user":{"id":"1"},`, "", 1),
		"a person by name":      strings.Replace(good, `{"id":"1"}`, `{"id":"../x"}`, 1),
		"no token":              strings.Replace(good, `"token":"t",`, "", 1),
		"a token of two parts":  strings.Replace(good, `"token":"t"`, `"token":"t/x"`, 1),
		"no channel":            strings.Replace(good, `"channel_id":"1",`, "", 1),
		"a server by name":      strings.Replace(good, `"token"`, `"guild_id":"x","token"`, 1),
		"a message by name":     strings.Replace(good, `"token"`, `"message":{"id":"x"},"token"`, 1),
		"an id of another form": strings.Replace(good, `"id":"1"`, `"id":"01"`, 1),
		"no id":                 strings.Replace(good, anID, "", 1),
	} {
		if g, err := decodeInteraction([]byte(payload), specs); !errors.Is(err, errBroken) || !reflect.DeepEqual(g, inbound{}) {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
	}
}

func TestDecodeErrorsQuoteNoPayload(t *testing.T) {
	_, err := decodeInteraction([]byte(`{"type":5,"id":"`+anID+`","application_id":"1","token":"t0ken","channel_id":"1","user":{"id":"1"},"data":{"custom_id":"se cret","components":[{"type":4,"value":"secret"}]}}`), specs)
	if err == nil || strings.Contains(err.Error(), "ecret") || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("%v", err)
	}
	_, err = decodeInteraction([]byte(`{"type":4.2026}`), specs)
	if err == nil || strings.Contains(err.Error(), "2026") {
		t.Errorf("%v", err)
	}
}

// The Welsh command asks for an answer in Welsh.
func TestCommandLocale(t *testing.T) {
	for name, want := range map[string]string{"maturity": "de", "aeddfedrwydd": "cy"} {
		g, err := decodeInteraction(fmt.Appendf(nil, `{"type":2,"id":%q,"application_id":"1","token":"t","channel_id":"1","user":{"id":"1"},"locale":"de","data":{"name":%q,"options":[{"name":"statws","type":1}]}}`, anID, name), specs)
		if err != nil || g.event.Action.Verb != "statws" || g.event.Locale != want {
			t.Errorf("%s: %+v, %v", name, g.event, err)
		}
	}
}

func TestAdmin(t *testing.T) {
	for permissions, want := range map[string]bool{"32": true, "8": true, "2251799813685247": true, "0": false, "1024": false, "": false, "x": false, "-8": false, "99999999999999999999": false} {
		payload := fmt.Sprintf(`{"type":2,"id":%q,"application_id":"1","token":"t","channel_id":"1","guild_id":"1","member":{"user":{"id":"1"},"permissions":%q},"data":{"name":"maturity","options":[{"type":1,"name":"home"}]}}`, anID, permissions)
		if g, err := decodeInteraction([]byte(payload), specs); err != nil || g.event.Admin != want {
			t.Errorf("permissions %q: admin %v, want %v (%v)", permissions, g.event.Admin, want, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	entries, err := os.ReadDir("testdata/received")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		f.Add(received(f, strings.TrimSuffix(e.Name(), ".json")))
	}
	for _, component := range []string{`{"type":23,"custom_id":"k","value":true}`, `{"type":4,"custom_id":"k","value":1}`, `{"type":99,"values":{}}`} {
		f.Add(fmt.Appendf(nil, `{"type":5,"id":%q,"application_id":"1","token":"t","channel_id":"1","user":{"id":"1"},`+
			`"data":{"custom_id":"keep:x","components":[{"type":18,"component":%s}]}}`, anID, component))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		g, err := decodeInteraction(payload, specs)
		switch {
		case errors.Is(err, errBroken) || g.kind == ping:
			if !reflect.DeepEqual(g, inbound{kind: g.kind}) {
				t.Errorf("something is left of %q: %+v", payload, g)
			}
			return
		case err != nil && !errors.Is(err, errForeign):
			t.Errorf("an error of another kind: %v", err)
		}
		if g.event.Who.ID == "" || g.origin.Token == "" || g.event.ID == "" {
			t.Errorf("no user to answer: %+v", g)
		}
		if err == nil && (g.event.Kind == chat.Press || g.event.Kind == chat.Submit) && g.kind != completing {
			if _, bad := g.event.Action.Encode(); bad != nil {
				t.Errorf("an action that no button carries: %v", bad)
			}
		}
		for _, v := range g.event.Values[chat.Picked] {
			if g.event.Kind == chat.Press && v == "" {
				t.Error("an empty pick")
			}
		}
	})
}

// FuzzPressLikeDiscordgo compares a press with what discordgo, which decodes every field, reads of it.
func FuzzPressLikeDiscordgo(f *testing.F) {
	files, err := filepath.Glob("testdata/received/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no payloads")
	}
	for _, file := range files {
		f.Add(received(f, strings.TrimSuffix(filepath.Base(file), ".json")))
	}
	f.Add(pressed("answer:r1:vision:3", 2))
	f.Fuzz(func(t *testing.T, raw []byte) {
		g, err := decodeInteraction(raw, nil)
		var in discordgo.Interaction
		if err != nil || g.kind != handled || g.event.Kind != chat.Press || json.Unmarshal(raw, &in) != nil {
			return
		}
		data, ok := in.Data.(discordgo.MessageComponentInteractionData)
		who := in.User
		if in.Member != nil {
			who = in.Member.User
		}
		if !ok || who == nil || in.Message == nil || data.ComponentType != discordgo.ButtonComponent {
			return
		}
		action, err := g.event.Action.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got := []string{g.event.ID, g.event.Who.ID, action, g.origin.Token, g.origin.Message, g.origin.Channel}
		want := []string{in.ID, who.ID, data.CustomID, in.Token, in.Message.ID, in.ChannelID}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, discordgo %q", got, want)
		}
	})
}
