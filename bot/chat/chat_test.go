package chat

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestActionRoundTrip(t *testing.T) {
	for _, a := range []Action{NewAction("home"), NewAction("answer", "abcdefghij", "vision", "3"), NewAction("x", strings.Repeat("a", MaxAction-2))} {
		s, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeAction(s)
		if err != nil || back.Verb != a.Verb || !slices.Equal(back.Args, a.Args) {
			t.Errorf("%q came back as %v, %v", s, back, err)
		}
	}
}

func TestActionEncodeErrors(t *testing.T) {
	for _, a := range []Action{{}, NewAction(""), NewAction("a", ""), NewAction("a:b"), NewAction("a", "b c"), NewAction("a", "ŵ"), NewAction("a", "b\n"), NewAction("x", strings.Repeat("a", MaxAction-1))} {
		if s, err := a.Encode(); err == nil {
			t.Errorf("%v was encoded as %q", a, s)
		}
	}
}

func FuzzDecodeAction(f *testing.F) {
	for _, s := range []string{"", ":", "a", "a:", "answer:abcdefghij:vision:3", "a::b", "\x00", strings.Repeat("a:", 60)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := DecodeAction(s)
		if err != nil {
			return
		}
		if back, err := a.Encode(); err != nil || back != s || len(s) > MaxAction {
			t.Errorf("%q was decoded to %v, which encodes to %q, %v", s, a, back, err)
		}
	})
}

func TestAddressRoundTrip(t *testing.T) {
	p := Person{"slack", "T1", "U1"}
	if back, err := ParsePerson(p.String()); err != nil || back != p {
		t.Errorf("%v came back as %v, %v", p, back, err)
	}
	c := Place{"terminal", "", "#a:b"}
	if back, err := ParsePlace(c.String()); err != nil || back != c {
		t.Errorf("%v came back as %v, %v", c, back, err)
	}
	for _, s := range []string{"", "slack", "slack:T1", "slack:T1:", ":T1:U1"} {
		if p, err := ParsePerson(s); err == nil {
			t.Errorf("%q was read as %v", s, p)
		}
	}
}

func buttons(n int) Buttons {
	var b Buttons
	for i := range n {
		b.Buttons = append(b.Buttons, Button{Label: "go", Action: NewAction("go", fmt.Sprint(i+1))})
	}
	return b
}

func TestCardCheckLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("ŵ", n) } // two bytes each: limits are in characters
	press := NewAction("go")
	full := Card{Blocks: []Block{
		Heading{
			long(MaxHeading),
		}, Paragraph(long(1000)), Footnote(long(500)), Divider{}, Table{long(1000)},
		Choice{
			Title: long(40),
			Text:  long(600),
			Button: Button{
				Label:   long(MaxLabel),
				Action:  press,
				Spoken:  long(MaxSpoken),
				Confirm: &Confirm{Text: long(MaxConfirm)},
			},
		},
		buttons(5), Menu{Action: NewAction("pick"), Placeholder: long(MaxPlaceholder), Options: []Option{{"a", long(MaxOption)}}},
	}}
	if err := full.Check(); err != nil {
		t.Errorf("a full card is refused: %v", err)
	}
	many := make([]Option, MaxMenu+1)
	for i := range many {
		many[i] = Option{fmt.Sprint(i), "x"}
	}
	for name, blocks := range map[string][]Block{
		"empty":                      {},
		"an empty heading":           {Heading{}},
		"heading":                    {Heading{long(MaxHeading + 1)}},
		"text":                       {Paragraph(long(MaxText + 1))},
		"note":                       {Footnote(long(MaxText + 1))},
		"table":                      {Table{long(MaxText)}},
		"choice":                     {Choice{Title: "a", Text: long(MaxText), Button: Button{Label: "a", Action: press}}},
		"button label":               {Buttons{[]Button{{Label: long(MaxLabel + 1), Action: press}}}},
		"button label of 31":         {Buttons{[]Button{{Label: long(MaxLabel - 1), Action: press, Chosen: true}}}},
		"an empty button label":      {Buttons{[]Button{{Action: press}}}},
		"spoken label":               {Buttons{[]Button{{Label: "a", Action: press, Spoken: long(MaxSpoken + 1)}}}},
		"confirm text":               {Buttons{[]Button{{Label: "a", Action: press, Confirm: &Confirm{Text: long(MaxConfirm + 1)}}}}},
		"a row without buttons":      {Buttons{}},
		`action "go:1" twice`:        {buttons(1), buttons(1)},
		"an empty word":              {Buttons{[]Button{{Label: "a"}}}},
		"26 options":                 {Menu{Action: press, Placeholder: "p", Options: many}},
		"option value":               {Menu{Action: press, Placeholder: "p", Options: []Option{{"a", "x"}, {"a", "y"}}}},
		"option of":                  {Menu{Action: press, Placeholder: "p", Options: []Option{{"a", long(MaxOption + 1)}}}},
		"placeholder":                {Menu{Action: press, Placeholder: long(MaxPlaceholder + 1), Options: many[:1]}},
		"components":                 {buttons(36)},
		"characters, at most 4000":   {Paragraph(long(2001)), Footnote(long(2000))},
		"51 blocks":                  slices.Repeat([]Block{Divider{}}, MaxBlocks+1),
		"unknown block":              {nil},
		"a colon or a character tha": {Buttons{[]Button{{Label: "a", Action: NewAction("a b")}}}},
	} {
		err := Card{Blocks: blocks}.Check()
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want a refusal that says %q, got %v", name, err)
		}
	}
}

func TestFormCheckLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("ŵ", n) }
	label := Label{ID: "a", Text: long(MaxFieldLabel), Hint: long(MaxFieldHint)}
	good := Form{
		Title:  long(MaxTitle),
		Submit: "s",
		Cancel: "c",
		Action: NewAction("keep"),
		Fields: []Field{Input{Label: label, Max: MaxFieldText}},
	}
	if err := good.Check(); err != nil {
		t.Errorf("a full form is refused: %v", err)
	}
	with := func(change func(*Form)) Form {
		f := good
		change(&f)
		return f
	}
	for name, f := range map[string]Form{
		"form title":    with(func(f *Form) { f.Title = long(MaxTitle + 1) }),
		"submit label":  with(func(f *Form) { f.Submit = "" }),
		"cancel label":  with(func(f *Form) { f.Cancel = long(MaxTitle + 1) }),
		"form intro":    with(func(f *Form) { f.Intro = long(MaxText + 1) }),
		"an empty word": with(func(f *Form) { f.Action = Action{} }),
		"no fields":     with(func(f *Form) { f.Fields = nil }),
		"6 fields":      with(func(f *Form) { f.Fields = slices.Repeat(f.Fields[:1:1], MaxFields+1) }),
		"there twice":   with(func(f *Form) { f.Fields = append(f.Fields[:1:1], f.Fields[0]) }),
		"field label":   with(func(f *Form) { f.Fields = []Field{Date{Label: Label{ID: "a", Text: long(MaxFieldLabel + 1)}}} }),
		"field hint": with(func(f *Form) {
			f.Fields = []Field{Date{Label: Label{ID: "a", Text: "a", Hint: long(MaxFieldHint + 1)}}}
		}),
		"a limit of":       with(func(f *Form) { f.Fields = []Field{Input{Label: Label{ID: "a", Text: "a"}, Max: MaxFieldText + 1}} }),
		"0 options":        with(func(f *Form) { f.Fields = []Field{Select{Label: Label{ID: "a", Text: "a"}}} }),
		"is unnamed or th": with(func(f *Form) { f.Fields = []Field{TimeOfDay{Label: Label{Text: "a"}}} }),
	} {
		if err := f.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want a refusal that says %q, got %v", name, err)
		}
	}
}

func TestTrim(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"ŵŷŵŷ", 3, "ŵŷ…"}, {"a bcd", 3, "a…"}, {"", 3, ""}} {
		if got := Trim(c.in, c.n); got != c.want {
			t.Errorf("Trim(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestPlainText(t *testing.T) {
	spans := []Span{
		Bold("Plan"), Words(" by "), Mention{Person{ID: "ana"}}, Words(" in "), Link{Place{Channel: "team"}},
		Words(": "), WebLink{Text: "guide", URL: "https://example.org"}, Words(" "), Meter{2, 3},
	}
	link := Link{Place{Channel: "team"}}.String()
	if got, want := PlainText(spans), "Plan by @ana in "+link+": guide ▰▰▱"; got != want {
		t.Errorf("PlainText is %q, want %q", got, want)
	}
	unstyled := Unstyled(spans)
	if got, want := PlainText(unstyled), "Plan by @ana in "+link+": guide "; got != want {
		t.Errorf("of Unstyled it is %q, want %q", got, want)
	}
	if unstyled[0] != Words("Plan") {
		t.Errorf("Unstyled begins with %#v", unstyled[0])
	}
}

func ExampleCard_String() {
	fmt.Print(Card{Blocks: []Block{
		Note{[]Span{Bold("Plan"), Words(" · 2 of 3 "), Meter{2, 3}}},
		Heading{"Money for it"},
		Choice{
			Title:  "Low",
			Text:   "There is none.",
			Button: Button{Label: "Low", Action: NewAction("answer", "1"), Chosen: true},
		},
		Buttons{
			[]Button{
				{Label: "Back", Action: NewAction("back")},
				{Label: "Erase", Action: NewAction("erase"), Style: Danger},
			},
		},
		Menu{
			Action:      NewAction("jump"),
			Placeholder: "Go to",
			Options:     []Option{{"a", "A written plan"}, {"b", "Home visits"}},
		},
	}})
	// Output:
	// (Plan · 2 of 3 ▰▰▱)
	// # Money for it
	// [✓ Low] Low: There is none.
	// [Back] [Erase!]
	// [v Go to: A written plan | Home visits]
}
