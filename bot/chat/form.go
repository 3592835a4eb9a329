package chat

import (
	"errors"
	"fmt"
	"strings"
)

// Form is a set of fields that a user fills in and sends.
type Form struct {
	Title  string
	Intro  string // a sentence above the fields, or empty
	Submit string
	Cancel string
	Action Action
	// Back shows the card that the form was opened from, for adapters on which a form takes its
	// place. It is empty where there is none.
	Back   Action
	Fields []Field
}

// Field is one field of a form: Input, Select, Date, TimeOfDay, People or Channel.
//
//sumtype:decl
type Field interface {
	field()
	about() Label
}

// Label is what every field has.
type Label struct {
	ID       string
	Text     string
	Hint     string
	Optional bool
}

// Input is text to write. Max is its limit in characters, which the label or hint says.
type Input struct {
	Label
	Value string
	Max   int
	Lines bool // room for several lines
}

// Select is one or several of a list.
type Select struct {
	Label
	Options []Option
	Many    bool
	Chosen  []string
}

// Date is a day, as "2006-01-02".
type Date struct {
	Label
	Value string
}

// TimeOfDay is a time of day, as "15:04".
type TimeOfDay struct {
	Label
	Value string
}

// People is a set of persons. Its values are in the form of Person.String.
type People struct{ Label }

// Channel is a place of the platform. Its value is in the form of Place.String.
type Channel struct{ Label }

func (Input) field()     {}
func (Select) field()    {}
func (Date) field()      {}
func (TimeOfDay) field() {}
func (People) field()    {}
func (Channel) field()   {}

func (l Label) about() Label { return l }

// About returns the label of any field.
func About(f Field) Label { return f.about() }

// Check returns the first thing of the form that does not fit both platforms, or nil.
func (f Form) Check() error {
	if err := f.check(); err != nil {
		return fmt.Errorf("check form: %w", err)
	}
	return nil
}

func (f Form) check() error {
	if err := checkText("form title", f.Title, MaxTitle); err != nil {
		return err
	}
	if err := checkText("submit label", f.Submit, MaxTitle); err != nil {
		return err
	}
	if err := checkText("cancel label", f.Cancel, MaxTitle); err != nil {
		return err
	}
	if err := checkLength("form intro", f.Intro, MaxText); err != nil {
		return err
	}
	if _, err := f.Action.Encode(); err != nil {
		return err
	}
	if len(f.Fields) == 0 {
		return errors.New("no fields")
	}
	if len(f.Fields) > MaxFields {
		return fmt.Errorf("%d fields, at most %d", len(f.Fields), MaxFields)
	}
	seen := map[string]bool{}
	for _, field := range f.Fields {
		l := field.about()
		if l.ID == "" || seen[l.ID] {
			return fmt.Errorf("field %q is unnamed or there twice", l.ID)
		}
		seen[l.ID] = true
		if err := checkText("field label", l.Text, MaxFieldLabel); err != nil {
			return err
		}
		if err := checkLength("field hint", l.Hint, MaxFieldHint); err != nil {
			return err
		}
		switch x := field.(type) {
		case Input:
			if x.Max < 1 || x.Max > MaxFieldText {
				return fmt.Errorf("field %q: a limit of %d characters, want 1 to %d",
					l.ID, x.Max, MaxFieldText)
			}
		case Select:
			if err := checkOptions(x.Options); err != nil {
				return err
			}
		case Date, TimeOfDay, People, Channel:
		default:
			return fmt.Errorf("unknown field %T", field)
		}
	}
	return nil
}

// String draws the form in plain text, as transcripts show it: "id ‹label›" and what a field takes.
func (f Form) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", f.Title)
	if f.Intro != "" {
		fmt.Fprintln(&b, f.Intro)
	}
	for _, field := range f.Fields {
		l := field.about()
		name := l.Text
		if l.Hint != "" {
			name += " (" + l.Hint + ")"
		}
		switch x := field.(type) {
		case Input:
			fmt.Fprintf(&b, "%s: %s ‹%s› at most %d\n", l.ID, name, x.Value, x.Max)
		case Select:
			marks := make([]string, len(x.Options))
			for i, o := range x.Options {
				marks[i] = o.Label
				for _, c := range x.Chosen {
					if c == o.Value {
						marks[i] = Tick + o.Label
					}
				}
			}
			sort := "one of"
			if x.Many {
				sort = "any of"
			}
			fmt.Fprintf(&b, "%s: %s %s %s\n", l.ID, name, sort, strings.Join(marks, " | "))
		case Date:
			fmt.Fprintf(&b, "%s: %s ‹%s› a day\n", l.ID, name, x.Value)
		case TimeOfDay:
			fmt.Fprintf(&b, "%s: %s ‹%s› a time\n", l.ID, name, x.Value)
		case People:
			fmt.Fprintf(&b, "%s: %s any people\n", l.ID, name)
		case Channel:
			fmt.Fprintf(&b, "%s: %s a channel\n", l.ID, name)
		}
	}
	fmt.Fprintf(&b, "[%s] [%s]\n", f.Submit, f.Cancel)
	return b.String()
}
