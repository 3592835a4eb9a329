package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"maturitybot/bot/chat"
)

func payload(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "payloads", name))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.TrimSpace(string(raw)))
}

func at(sec, micro int64) time.Time { return time.Unix(sec, micro*1000).UTC() }

func TestDecodeInteraction(t *testing.T) {
	const hooks = "https://hooks.slack.com/actions/T0NORTH/"
	north := func(id string) chat.Person { return chat.Person{Platform: "slack", Workspace: "T0NORTH", ID: id} }
	shared := func(channel string) chat.CardRef {
		return chat.CardRef{Place: place("T0NORTH", channel), Message: "1795446100.000300"}
	}
	for name, want := range map[string]inbound{
		"press-dm.json": {
			event: chat.Event{ID: "9001.42.aa11", Kind: chat.Press, At: at(1795446061, 840180), Who: north("U0BEN"), Where: place("T0NORTH", "D0BEN"), Private: true,
				Action: chat.NewAction("answer", "7K3Q", "leadership", "2")},
			trigger: "9001.42.aa11",
			origin:  origin{Channel: "D0BEN", Private: true, URL: hooks + "9001/aa11", Card: "1795446000.000200"},
		},
		"press-channel.json": {
			event: chat.Event{ID: "9002.42.bb22", Kind: chat.Press, At: at(1795446161, 1), Who: north("U0CEM"), Where: place("T0NORTH", "C0TEAM"),
				SharedCard: shared("C0TEAM"), Action: chat.NewAction("join", "7K3Q")},
			trigger: "9002.42.bb22",
			origin:  origin{Channel: "C0TEAM", URL: hooks + "9002/bb22", Card: "1795446100.000300"},
		},
		"press-ephemeral.json": {
			event: chat.Event{ID: "9003.42.cc33", Kind: chat.Press, At: at(1795446261, 500000), Who: north("U0ANA"), Where: place("T0NORTH", "C0TEAM"),
				Action: chat.NewAction("open", "7K3Q", "en")},
			trigger: "9003.42.cc33",
			origin:  origin{Channel: "C0TEAM", URL: hooks + "9003/cc33", Card: "1795446200.000400", Whispered: true},
		},
		"press-home.json": {
			event: chat.Event{ID: "9004.42.dd44", Kind: chat.Press, At: at(1795446361, 250000), Who: north("U0BEN"), Where: place("T0NORTH", "U0BEN"), Private: true,
				Action: chat.NewAction("resume", "7K3Q")},
			trigger: "9004.42.dd44",
			origin:  origin{Channel: "U0BEN", Private: true},
			home:    true,
		},
		"menu.json": {
			event: chat.Event{ID: "9006.42.ff66", Kind: chat.Press, At: at(1795446070, 123456), Who: north("U0BEN"), Where: place("T0NORTH", "D0BEN"), Private: true,
				Action: chat.NewAction("role", "7K3Q"), Values: map[string][]string{chat.Picked: {"midwife"}}},
			trigger: "9006.42.ff66",
			origin:  origin{Channel: "D0BEN", Private: true, URL: hooks + "9006/ff66", Card: "1795446000.000200"},
		},
		"submit.json": {
			event: chat.Event{ID: "9007.42.gg77", Kind: chat.Submit, Who: north("U0ANA"), Where: place("T0NORTH", "C0TEAM"),
				Action: chat.NewAction("create"), Values: map[string][]string{
					"area": {"Bro Hafren & ŵyl\n“quoted”"}, "matrix": {"wales"}, "far": {"yes"}, "information": {"a", "b"}, "more": {"c"},
					"closes": {"2026-12-11"}, "closes_time": {"17:00"}, "people": {"slack:T0NORTH:U0BEN", "slack:T0NORTH:W0CEM"}, "channel": {"slack:T0NORTH:C0OTHER"},
				}},
			trigger: "9007.42.gg77",
			origin:  origin{Channel: "C0TEAM", URL: "https://hooks.slack.com/commands/T0NORTH/1", Card: "1795446200.000400", Whispered: true},
			view:    "V0FORM",
		},
		"submit-home.json": {
			event: chat.Event{ID: "9008.42.hh88", Kind: chat.Submit, Who: north("U0BEN"), Where: place("T0NORTH", "U0BEN"), Private: true,
				Action: chat.NewAction("saveorg", "7K3Q"), Values: map[string][]string{"organisation": {"Northshire NHS"}}},
			trigger: "9008.42.hh88",
			origin:  origin{Channel: "U0BEN", Private: true},
			view:    "V0FORM2",
			home:    true,
		},
		"external.json": {
			event: chat.Event{ID: "9009.42.ii99", Kind: chat.Press, At: at(1795446171, 1), Who: chat.Person{Platform: "slack", Workspace: "T0OTHER", ID: "U0GUEST"},
				Where: place("T0NORTH", "C0SHARED"), SharedCard: shared("C0SHARED"), Action: chat.NewAction("join", "7K3Q")},
			trigger: "9009.42.ii99",
			origin:  origin{Channel: "C0SHARED", URL: hooks + "9009/ii99", Card: "1795446100.000300"},
		},
		"enterprise.json": {
			event: chat.Event{ID: "9010.42.jj00", Kind: chat.Press, At: at(1795446181, 1), Who: north("W0DAI"), Where: place("T0NORTH", "C0TEAM"),
				Unverified: true, SharedCard: shared("C0TEAM"), Action: chat.NewAction("join", "7K3Q")},
			trigger: "9010.42.jj00",
			origin:  origin{Channel: "C0TEAM", URL: hooks + "9010/jj00", Card: "1795446100.000300"},
		},
		"org-wide.json": {
			event: chat.Event{ID: "9011.42.kk11", Kind: chat.Press, At: at(1795446191, 1), Who: chat.Person{Platform: "slack", Workspace: "T0HOME", ID: "W0DAI"},
				Where: place("T0HOME", "D0DAI"), Private: true, Action: chat.NewAction("go", "7K3Q")},
			trigger: "9011.42.kk11",
			origin:  origin{Channel: "D0DAI", Private: true, URL: hooks + "9011/kk11", Card: "1795446100.000300"},
		},
	} {
		got, err := decodeInteraction(payload(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestDecodeForeignInteraction(t *testing.T) {
	for _, name := range []string{"press-modal.json", "foreign.json", "closed.json", "submit-foreign.json", "foreign-shape.json"} {
		if _, err := decodeInteraction(payload(t, name)); !errors.Is(err, errIgnored) {
			t.Errorf("%s: %v, want errIgnored", name, err)
		}
	}
	menu := strings.Replace(string(payload(t, "menu.json")), `"actions":[{"type":"static_select"`, `"actions":[{"type":"overflow"`, 1)
	if _, err := decodeInteraction([]byte(menu)); !errors.Is(err, errIgnored) {
		t.Errorf("an overflow menu: %v, want errIgnored", err)
	}
	inForm := strings.Replace(string(payload(t, "press-modal.json")), `"action_id":"information","block_id":"information","type":"checkboxes"`, `"action_id":"go:7K3Q","type":"button"`, 1)
	if _, err := decodeInteraction([]byte(inForm)); !errors.Is(err, errIgnored) {
		t.Errorf("a button in a form: %v, want errIgnored", err)
	}
	for what, edit := range map[string][2]string{
		"name":     {`"callback_id":"create"`, `"callback_id":"cre ate"`},
		"metadata": {`"{\"c\"`, `"{c`},
		"origin":   {`\"c\":\"C0TEAM\"`, `\"c\":\"\"`},
	} {
		before := string(payload(t, "submit.json"))
		form := strings.Replace(before, edit[0], edit[1], 1)
		if _, err := decodeInteraction([]byte(form)); form == before || !errors.Is(err, errIgnored) {
			t.Errorf("a form with a %s of another app: %v, want errIgnored", what, err)
		}
	}
}

func TestDecodeMalformedInteraction(t *testing.T) {
	edit := func(name, old, with string) string {
		s := string(payload(t, name))
		if !strings.Contains(s, old) {
			t.Fatalf("%s has no %s", name, old)
		}
		return strings.Replace(s, old, with, 1)
	}
	var fields, values strings.Builder
	for i := range maxFields + 1 {
		fields.WriteString(`"f` + strings.Repeat("x", i) + `":{},`)
	}
	for range maxValues + 1 {
		values.WriteString(`"U1",`)
	}
	for what, s := range map[string]string{
		"nothing":          "",
		"a list":           "[]",
		"half":             string(payload(t, "press-dm.json"))[:300],
		"too long":         strings.TrimSuffix(string(payload(t, "press-dm.json")), "}") + `,"x":"` + strings.Repeat("x", maxPayload) + `"}`,
		"no user":          edit("press-dm.json", `"id":"U0BEN"`, `"id":""`),
		"no trigger":       edit("press-dm.json", `"trigger_id":"9001.42.aa11"`, `"trigger_id":""`),
		"no action":        edit("press-dm.json", `"actions":[`, `"actions":[],"was":[`),
		"no channel":       strings.ReplaceAll(string(payload(t, "press-dm.json")), "D0BEN", ""),
		"no message":       edit("press-dm.json", `"message_ts":"1795446000.000200"`, `"message_ts":""`),
		"wrong type":       edit("press-dm.json", `"actions":[`, `"actions":7,"was":[`),
		"a number as text": edit("submit.json", `"value":"Bro Hafren`, `"value":7,"x":"Bro Hafren`),
		"no view":          edit("submit.json", `"id":"V0FORM"`, `"id":""`),
		"long origin":      edit("submit.json", `C0TEAM`, strings.Repeat("C", maxMetadata)),
		"too many fields":  edit("submit.json", `"values":{`, `"values":{`+fields.String()),
		"too many persons": edit("submit.json", `"selected_users":[`, `"selected_users":[`+values.String()),
	} {
		if g, err := decodeInteraction([]byte(s)); err == nil || errors.Is(err, errIgnored) {
			t.Errorf("%s: %v, %+v", what, err, g)
		}
	}
}

// TestDecodeUnknownElements checks that elements of unknown types, with fields of any form, do not
// prevent known ones from being decoded.
func TestDecodeUnknownElements(t *testing.T) {
	want, err := decodeInteraction(payload(t, "submit.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, element := range []string{
		`{"type":"new_toggle","value":true}`, `{"type":"file_input","files":[{"id":"F1"}]}`, `{"type":"new_picker","selected_date":20261211}`,
		`{"type":"new_list","selected_options":{"a":1}}`, `7`, `null`, `{"type":9}`,
	} {
		raw := strings.Replace(string(payload(t, "submit.json")), `"values":{`, `"values":{"new":{"new":`+element+`},`, 1)
		if got, err := decodeInteraction([]byte(raw)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s in a form: %v, %+v", element, err, got)
		}
		press := strings.Replace(string(payload(t, "press-dm.json")), `"actions":[`, `"actions":[`+element+`,`, 1)
		if got, err := decodeInteraction([]byte(press)); !errors.Is(err, errIgnored) {
			t.Errorf("%s pressed: %v, %+v", element, err, got)
		}
	}
}

// Errors are logged, so they hold nothing that a person wrote.
func TestDecodeErrorsQuoteNoPayload(t *testing.T) {
	for _, s := range []string{
		strings.Replace(string(payload(t, "submit.json")), `"value":"Bro Hafren`, `"value":{"secret":1},"x":"Bro Hafren`, 1),
		strings.Replace(string(payload(t, "submit.json")), `"{\"c\":\"C0TEAM\"`, `"{\"c\":secret`, 1),
		strings.Replace(string(payload(t, "submit.json")), `"type":"view_submission"`, `"type":"view_submission",secret`, 1),
		strings.Replace(string(payload(t, "submit-foreign.json")), `"private_metadata":""`, `"private_metadata":"secret"`, 1),
		strings.Replace(string(payload(t, "press-dm.json")), `"action_id":"answer:7K3Q:leadership:2","block_id":"x3","text"`, `"action_id":"my secret","block_id":"x3","text"`, 1),
	} {
		_, err := decodeInteraction([]byte(s))
		if err == nil {
			t.Fatal("no error")
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "character 's'") {
			t.Errorf("quotes the payload: %v", err)
		}
	}
}

func TestDecodeCommand(t *testing.T) {
	form, err := url.ParseQuery(string(payload(t, "command.txt")))
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeCommand(form)
	ana := chat.Person{Platform: "slack", Workspace: "T0NORTH", ID: "U0ANA"}
	want := inbound{
		event: chat.Event{ID: "9013.42.mm33", Kind: chat.Command, Who: ana, Where: place("T0NORTH", "C0TEAM"),
			Action: chat.NewAction("extend", "Bro", "Hafren", "“now”")},
		trigger: "9013.42.mm33",
		origin:  origin{Channel: "C0TEAM", URL: "https://hooks.slack.com/commands/T0NORTH/1"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}

	got, err = decodeCommandJSON(payload(t, "command.json"))
	want = inbound{
		event:   chat.Event{ID: "9014.42.nn44", Kind: chat.Command, Who: ana, Where: place("T0NORTH", "D0ANA"), Private: true},
		trigger: "9014.42.nn44",
		origin:  origin{Channel: "D0ANA", Private: true, URL: "https://hooks.slack.com/commands/T0NORTH/2"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}

	if _, err := decodeCommand(url.Values{"ssl_check": {"1"}}); !errors.Is(err, errIgnored) {
		t.Errorf("a check of the certificate: %v, want errIgnored", err)
	}
	form.Set("text", strings.Repeat("x", 4*maxCommand+1))
	if _, err := decodeCommand(form); err == nil || errors.Is(err, errIgnored) {
		t.Errorf("a very long command: %v", err)
	}
	for _, key := range []string{"team_id", "user_id", "channel_id", "trigger_id"} {
		less, err := url.ParseQuery(string(payload(t, "command.txt")))
		if err != nil {
			t.Fatal(err)
		}
		less.Del(key)
		if _, err := decodeCommand(less); err == nil || errors.Is(err, errIgnored) {
			t.Errorf("without %s: %v", key, err)
		}
	}
	if _, err := decodeCommandJSON([]byte("{")); err == nil {
		t.Error("half a command is one")
	}
}

func TestDecodeEvent(t *testing.T) {
	wrote := func(workspace, id, channel, event string) inbound {
		return inbound{
			event: chat.Event{ID: event, Kind: chat.Message, At: at(1795446500, 500), Who: chat.Person{Platform: "slack", Workspace: workspace, ID: id},
				Where: place("T0NORTH", channel), Private: true},
			origin: origin{Channel: channel, Private: true},
		}
	}
	unverified := func(g inbound) inbound {
		g.event.Unverified = true
		return g
	}
	ignored := callback{team: "T0NORTH"}
	for name, want := range map[string]callback{
		"event-message.json":    {kind: callbackUserEvent, team: "T0NORTH", inbound: wrote("T0NORTH", "U0BEN", "D0BEN", "D0BEN/5f0c7f5e-0001")},
		"event-external.json":   {kind: callbackUserEvent, team: "T0NORTH", inbound: wrote("T0OTHER", "U0GUEST", "D0GUEST", "Ev0EXT")},
		"event-enterprise.json": {kind: callbackUserEvent, team: "T0NORTH", enterprise: "E0GRID", inbound: unverified(wrote("T0NORTH", "W0DAI", "D0DAI", "Ev0GRID"))},
		"event-own.json":        ignored,
		"event-bot.json":        ignored,
		"event-edited.json":     ignored,
		"event-channel.json":    ignored,
		"event-home.json": {kind: callbackUserEvent, team: "T0NORTH", inbound: inbound{
			event: chat.Event{ID: "Ev0HOME", Kind: chat.Home, Who: chat.Person{Platform: "slack", Workspace: "T0NORTH", ID: "U0BEN"},
				Where: place("T0NORTH", "U0BEN"), Private: true},
			origin: origin{Channel: "U0BEN", Private: true},
			home:   true,
		}},
		"event-messages-tab.json": ignored,
		"event-user.json":         {kind: callbackUser, team: "T0NORTH", user: "U0BEN"},
		"event-uninstalled.json":  {kind: callbackUninstalled, team: "T0NORTH"},
		"event-revoked.json":      {kind: callbackUninstalled, team: "T0NORTH"},
		// Of an installation for a whole organisation.
		"event-uninstalled-org.json": {kind: callbackUninstalled, enterprise: "E0NORTH"},
		"event-revoked-org.json":     {kind: callbackUninstalled, enterprise: "E0NORTH"},
		"event-access-granted.json":  {kind: callbackGranted, enterprise: "E0NORTH", teams: []string{"T0NORTH", "T0SOUTH"}},
		"event-access-revoked.json":  {kind: callbackRevoked, enterprise: "E0NORTH", teams: []string{"T0NORTH"}},
		"event-channel-object.json":  ignored,
		"event-revoked-user.json":    ignored,
		"event-challenge.json":       {kind: callbackChallenge, challenge: "3eZbrw1aB10FEMAGAZd4FyFQ"},
		"event-limited.json":         {kind: callbackLimited, team: "T0NORTH"},
	} {
		got, err := decodeEvent(payload(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
	if got, err := decodeEvent([]byte(`{"type":"something new"}`)); err != nil || got.kind != callbackIgnored {
		t.Errorf("a type unknown here: %+v, %v", got, err)
	}
	for _, s := range []string{
		``, `{`, `{"type":"url_verification"}`, `{"type":"event_callback"}`, `{"type":"event_callback","team_id":"T","event":7}`,
		`{"type":"event_callback","event_id":"E","event":{"type":"message","channel_type":"im","channel":"D1","user":"U1"}}`,
		`{"type":"event_callback","event_id":"E","event":{"type":"app_home_opened","tab":"home","user":"U1"}}`,
		`{"type":"event_callback","team_id":"T","event_id":"E","event":{"type":"message","channel_type":"im","channel":{"id":"D1"},"user":"U1"}}`,
		`{"type":"event_callback","team_id":"T","event_id":"E","event":{"type":"message","channel_type":"im","channel":"D1"}}`,
		`{"type":"event_callback","team_id":"T","event_id":"E","event":{"type":"message","channel_type":"im","user":"U1"}}`,
		`{"type":"event_callback","team_id":"T","event":{"type":"message","channel_type":"im","channel":"D1","user":"U1","client_msg_id":"x"}}`,
		`{"type":"event_callback","team_id":"T","event":{"type":"app_home_opened","tab":"home","user":"U1"}}`,
		`{"type":"event_callback","team_id":"T","event":{"type":"user_change","user":{}}}`,
	} {
		if got, err := decodeEvent([]byte(s)); err == nil {
			t.Errorf("%s: no error, %+v", s, got)
		}
	}
}

// The place where a form was opened is read from its submission.
func TestOriginRoundTrip(t *testing.T) {
	o := origin{Channel: "D0BEN", Private: true, URL: "https://hooks.slack.com/actions/T/1?a=b&c=<d>", Card: "1795446000.000200", Whispered: true}
	form := chat.Form{Title: "t", Submit: "s", Cancel: "c", Action: chat.NewAction("keep", "7K3Q", "vision"), Fields: []chat.Field{chat.Date{Label: chat.Label{ID: "day", Text: "Day"}}}}
	view, err := modal(form, o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{
		"type": "view_submission", "trigger_id": "1", "team": map[string]any{"id": "T"}, "user": map[string]any{"id": "U", "team_id": "T"},
		"view": map[string]any{"id": "V", "callback_id": view.CallbackID, "private_metadata": view.PrivateMetadata},
	})
	if err != nil {
		t.Fatal(err)
	}
	g, err := decodeInteraction(raw)
	if err != nil || g.origin != o || !reflect.DeepEqual(g.event.Action, form.Action) {
		t.Errorf("got %+v, %v", g, err)
	}
}

func TestParseTimestamp(t *testing.T) {
	for s, want := range map[string]time.Time{
		"1795446061.840180": at(1795446061, 840180), "1795446061.5": at(1795446061, 500000), "1795446061": at(1795446061, 0),
		"1795446061.8401809": at(1795446061, 840180), "": {}, "0": {}, "-5": {}, "x": {}, "1.x": {}, "1.-1": {}, "99999999999999": {},
	} {
		if got := parseTimestamp(s); !got.Equal(want) {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/payloads/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no payloads")
	}
	for _, file := range files {
		f.Add(payload(f, filepath.Base(file)))
	}
	for _, element := range []string{`{"type":"new_toggle","value":true}`, `{"type":"plain_text_input","value":1}`, `null`} {
		f.Add(bytes.Replace(payload(f, "submit.json"), []byte(`"values":{`), []byte(`"values":{"new":{"new":`+element+`},`), 1))
		f.Add(bytes.Replace(payload(f, "press-dm.json"), []byte(`"actions":[`), []byte(`"actions":[`+element+`,`), 1))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		check := func(g inbound, err error) {
			if err != nil {
				return
			}
			e := g.event
			if e.ID == "" || e.Who.Platform != Platform || e.Who.Workspace == "" || e.Who.ID == "" || e.Where.Channel == "" || g.origin.Channel == "" {
				t.Errorf("an event without a person or a place: %+v", g)
			}
			if e.Kind == chat.Press || e.Kind == chat.Submit {
				if _, err := e.Action.Encode(); err != nil {
					t.Errorf("decoded what cannot be encoded: %v", err)
				}
			}
		}
		check(decodeInteraction(raw))
		check(decodeCommandJSON(raw))
		if form, err := url.ParseQuery(string(raw)); err == nil {
			check(decodeCommand(form))
		}
		if c, err := decodeEvent(raw); err == nil && c.kind == callbackUserEvent {
			check(c.inbound, nil)
		}
	})
}

// BenchmarkDecode decodes one press with this package and with slack-go.
func BenchmarkDecode(b *testing.B) {
	raw := payload(b, "press-dm.json")
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeInteraction(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("slack-go", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var in slackgo.InteractionCallback
			if err := json.Unmarshal(raw, &in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// FuzzForm compares the reading of a form with that of net/url.
func FuzzForm(f *testing.F) {
	for _, body := range []string{
		"payload=%7B%22a%22%3A+%22b%22%7D", "payload=", "payload=%", "payload=%4", "payload=%zz", "payload=a;b",
		"payload=a&payload=b", "token=x&payload=a%26b", "command=%2Fmaturity&text=a+b", "", "ssl_check=1", "payload",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want, wantErr := url.ParseQuery(string(body))
		payload, form, err := decodeForm(bytes.Clone(body))
		switch {
		case (err == nil) != (wantErr == nil):
			t.Errorf("got %v, net/url %v", err, wantErr)
		case err != nil:
		case (payload != nil) != want.Has("payload") || string(payload) != want.Get("payload"):
			t.Errorf("got the payload %q, net/url %q", payload, want["payload"])
		case payload == nil && !maps.EqualFunc(form, want, slices.Equal):
			t.Errorf("got the form %v, net/url %v", form, want)
		}
	})
}

// FuzzPressLikeSlackGo compares a press with what slack-go, which decodes every field, reads of it.
func FuzzPressLikeSlackGo(f *testing.F) {
	files, err := filepath.Glob("testdata/payloads/press-*")
	if err != nil || len(files) == 0 {
		f.Fatal("no payloads")
	}
	for _, file := range files {
		f.Add(payload(f, filepath.Base(file)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		g, err := decodeInteraction(raw)
		var in slackgo.InteractionCallback
		if err != nil || g.event.Kind != chat.Press || json.Unmarshal(raw, &in) != nil {
			return
		}
		if len(in.ActionCallback.BlockActions) == 0 || len(in.ActionCallback.AttachmentActions) > 0 {
			return // slack-go sorts actions without a block's id out
		}
		pressed := in.ActionCallback.BlockActions[0]
		action, err := g.event.Action.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got := []string{g.event.ID, g.event.Who.ID, action, g.origin.URL, g.origin.Card}
		want := []string{in.TriggerID, in.User.ID, pressed.ActionID, in.ResponseURL, in.Container.MessageTs}
		if g.home {
			want[4] = ""
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, slack-go %q", got, want)
		}
		if g.origin.Whispered != in.Container.IsEphemeral || !g.event.At.Equal(parseTimestamp(pressed.ActionTs)) {
			t.Errorf("got whispered %v at %v, slack-go %v at %s", g.origin.Whispered, g.event.At, in.Container.IsEphemeral, pressed.ActionTs)
		}
	})
}

// FuzzWithoutField compares an object without a field with what encoding/json reads of the whole.
func FuzzWithoutField(f *testing.F) {
	for _, object := range []string{
		`{"message":{"a":[1,{"b":"]}"}]},"c":1}`, `{"a":"message","message":"x\"y\\","b":2}`, `{"a":{"message":1},"message" : [ ] }`,
		`{"message":1}`, `{"message":1.5e3,"message":2}`, ` { "message" : null , "x" : "\\\"" } `, `["message",1]`, `"message"`, `{"x":"message"}`,
		`{}`, `{"message"`, `{"message":`, `{"message":"`, `{"message":[`, `{"m\u0065ssage":1}`, `{"message\"":1,"a":2}`, `}{"message":1}`, ``,
	} {
		f.Add([]byte(object))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		read := func(raw []byte) (fields map[string]any, err error) {
			d := json.NewDecoder(bytes.NewReader(raw))
			d.UseNumber()
			err = d.Decode(&fields)
			delete(fields, "message")
			return fields, err
		}
		want, err := read(object)
		if err != nil || !json.Valid(object) {
			withoutField(object, "message") // must end
			return
		}
		got, err := read(withoutField(bytes.Clone(object), "message"))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("without the field: %v, %v, want %v", got, err, want)
		}
	})
}

// TestWithoutField: the value goes, also one that is not valid, and nothing else.
func TestWithoutField(t *testing.T) {
	for object, want := range map[string]string{
		`{"a":1,"message":{"x":["}",{}]},"b":"message"}`: `{"a":1,"message":null,"b":"message"}`,
		`{"message" : "\\" , "b":2}`:                     `{"message" :null, "b":2}`,
		`{"message":-1}`:                                 `{"message":null}`,
		`{"message":"\",","b":2}`:                        `{"message":null,"b":2}`,
		`{"a":"{","message":1}`:                          `{"a":"{","message":null}`,
		`{"message":[x y],"b":2}`:                        `{"message":null,"b":2}`,
		`{"a":{"message":1}}`:                            `{"a":{"message":1}}`,
		`{"a":"\"message\":1"}`:                          `{"a":"\"message\":1"}`,
	} {
		if got := string(withoutField([]byte(object), "message")); got != want {
			t.Errorf("%s without the field: %s, want %s", object, got, want)
		}
	}
}
