package web

import (
	"net/http"
	"slices"

	"maturitybot/bot/chat"
)

// form is a form, as the template draws it.
type form struct {
	Title, Intro, Submit string
	Cancel               string // the address that leads back
	CancelLabel          string
	Fields               []formField
	Errors               []fieldError // above the form, in the order of the fields
}

// formField is one field of a form.
type formField struct {
	Name, Label, Hint, Error string
	Kind                     string // line, lines, one, many, date or time
	Value                    string
	Optional                 bool
	Options                  []formOption
}

type formOption struct {
	Value, Label, ID string
	Chosen           bool
}

// fieldError is what is wrong with a field.
type fieldError struct{ Name, Text string }

// fieldPrefix begins the names of the fields of a form, so that none is called like a hidden field.
const fieldPrefix = "f."

// drawForm returns a form with values, and with what is wrong, by field. Values that are nil take
// those of the form.
func drawForm(f chat.Form, values map[string][]string, wrong map[string]string) *form {
	out := &form{
		Title: f.Title, Intro: f.Intro, Submit: f.Submit, CancelLabel: f.Cancel, Cancel: surveyPath,
	}
	for _, one := range f.Fields {
		l := chat.About(one)
		drawn := formField{
			Name: fieldPrefix + l.ID, Label: l.Text, Hint: l.Hint, Optional: l.Optional,
			Error: wrong[l.ID],
		}
		given := values[l.ID]
		first := ""
		if len(given) > 0 {
			first = given[0]
		}
		choose := func(before string) string {
			if values == nil {
				return before
			}
			return first
		}
		switch x := one.(type) {
		case chat.Input:
			drawn.Kind, drawn.Value = "line", choose(x.Value)
			if x.Lines {
				drawn.Kind = "lines"
			}
		case chat.Select:
			drawn.Kind = "one"
			if x.Many {
				drawn.Kind = "many"
			}
			chosen := x.Chosen
			if values != nil {
				chosen = given
			}
			for i, o := range x.Options {
				id := drawn.Name
				if i > 0 {
					id += "." + o.Value
				}
				drawn.Options = append(drawn.Options, formOption{
					Value: o.Value, Label: o.Label, ID: id, Chosen: slices.Contains(chosen, o.Value),
				})
			}
		case chat.Date:
			drawn.Kind, drawn.Value = "date", choose(x.Value)
		case chat.TimeOfDay:
			drawn.Kind, drawn.Value = "time", choose(x.Value)
		case chat.People, chat.Channel:
			continue // the forms of a person with a link have none
		}
		if drawn.Error != "" {
			out.Errors = append(out.Errors, fieldError{drawn.Name, drawn.Error})
		}
		out.Fields = append(out.Fields, drawn)
	}
	return out
}

// readForm returns the values of a form that was sent, by field. The bot checks them: people on
// other platforms can send anything too.
func readForm(r *http.Request, f chat.Form) map[string][]string {
	values := map[string][]string{}
	for _, one := range f.Fields {
		id := chat.About(one).ID
		given := slices.Clone(r.PostForm[fieldPrefix+id])
		values[id] = slices.DeleteFunc(given, func(v string) bool { return v == "" })
	}
	return values
}
