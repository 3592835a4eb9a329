package terminal

import (
	"strings"
	"testing"
)

// english is what a caller would take from its locale files.
func english() Words {
	return Words{
		Leave: "Leave", Left: "You have left. What you answered is kept.", Earlier: "Back to the card before",
		Chosen: "chosen", Optional: "optional", DateForm: "YYYY-MM-DD", TimeForm: "HH:MM",
		IDs:     "ids, with commas between",
		Missing: "Please fill this in.", TooLong: "Too long: {used} of {limit} characters. Please shorten it.",
		BadDate: "Please write the day as {form}.", BadTime: "Please write the time as {form}.",
		Prompt: "Number or name, q to leave", Number: "Please choose a number from 1 to {to}, or type a name.",
		Several:  "More than one begins like that: {names}. Please type more.",
		KeepLine: "An empty line leaves a field as it is; - empties it.", Lines: "Several lines; an empty line ends it.",
		Many: "One or several numbers, with commas between.",
	}
}

func TestMissingWordsNamed(t *testing.T) {
	if err := english().Check(); err != nil {
		t.Errorf("a full set is refused: %v", err)
	}
	w := english()
	w.Earlier, w.Several = "", " "
	err := w.Check()
	if err == nil || !strings.Contains(err.Error(), "Earlier, Several") {
		t.Errorf("got %v, want the two missing words named", err)
	}
}
