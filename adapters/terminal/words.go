package terminal

import (
	"fmt"
	"reflect"
	"strings"
)

// Words has all texts of the terminal itself. All are required. The terminal fills in the names in
// braces.
type Words struct {
	Leave   string // a word that leaves, like q
	Left    string // the last line, after leaving: that what was answered is kept
	Earlier string // of the item that goes back to the card before
	Prompt  string // number or name; Enter shows the card again; q leaves
	Number  string // {to} is the highest number
	Several string // {names} all begin with what was typed
	Chosen  string // of the answer that stands, where a tick may not be read out

	Optional string // of a field that may stay empty
	KeepLine string // Enter leaves a field as it is, - empties it
	Lines    string // a text of several lines ends with an empty one
	Many     string // several numbers or names, with commas between
	DateForm string // the shape of a day, such as YYYY-MM-DD
	TimeForm string // the shape of a time of day, such as HH:MM
	IDs      string // that people are typed as ids with commas between

	Missing string // a field that must be filled in
	TooLong string // {used} and {limit}, in characters
	BadDate string // {form} is DateForm
	BadTime string // {form} is TimeForm
}

// Check returns an error that names the missing words, or nil.
func (w Words) Check() error {
	var missing []string
	v := reflect.ValueOf(w)
	for i := range v.NumField() {
		if strings.TrimSpace(v.Field(i).String()) == "" {
			missing = append(missing, v.Type().Field(i).Name)
		}
	}
	if missing != nil {
		return fmt.Errorf("check the terminal's words: missing %s", strings.Join(missing, ", "))
	}
	return nil
}

// fill puts values into the braces of a sentence: pairs of name and value.
func fill(sentence string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		sentence = strings.ReplaceAll(sentence, "{"+pairs[i]+"}", pairs[i+1])
	}
	return sentence
}
