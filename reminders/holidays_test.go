package reminders

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"maturitybot/survey/plaintext"
)

func TestLoadHolidaysList(t *testing.T) {
	c, err := LoadHolidays("days.txt", strings.NewReader("\ufeff# one more, one moved\n2027-06-07   # a jubilee\r\n\nnot 2027-05-31\n2027-06-03\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := holidaysOf(c, 2027), "01-01 03-26 03-29 05-03 06-03 06-07 08-30 12-27 12-28"; got != want {
		t.Errorf("2027: %s, want %s", got, want)
	}
	if got := holidaysOf(c, 2026); got != published[2026] {
		t.Errorf("2026: %s", got)
	}
	if got := holidaysOf(EnglandAndWales(), 2027); got != published[2027] {
		t.Errorf("a loaded file changed the rules for everybody: %s", got)
	}
}

// govUK writes a list as gov.uk does, with the other divisions around it.
func govUK(years ...string) string {
	var b strings.Builder
	b.WriteString(`{"scotland":{"division":"scotland","events":[{"title":"2nd January","date":"2027-01-04","notes":"Substitute day","bunting":true}]},` + "\n")
	b.WriteString(`"england-and-wales":{"division":"england-and-wales","events":[` + "\n")
	var events []string
	for _, year := range years {
		y, days, _ := strings.Cut(year, " ")
		for _, d := range strings.Fields(days) {
			events = append(events, fmt.Sprintf(`{"title":"New Year’s Day","date":"%s-%s","notes":"","bunting":true}`, y, d))
		}
	}
	b.WriteString(strings.Join(events, ",\n"))
	b.WriteString("\n]}}\n")
	return b.String()
}

func TestLoadHolidaysPublished(t *testing.T) {
	// The spring holiday of 2027 is moved and one is added. 2028 is not in the list.
	c, err := LoadHolidays("bank-holidays.json", strings.NewReader(govUK(
		"2019 01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26",
		"2027 01-01 03-26 03-29 05-03 06-03 06-04 08-30 12-27 12-28",
	)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := holidaysOf(c, 2027), "01-01 03-26 03-29 05-03 06-03 06-04 08-30 12-27 12-28"; got != want {
		t.Errorf("2027: %s, want %s", got, want)
	}
	if got := holidaysOf(c, 2028); got != published[2028] {
		t.Errorf("2028: %s, want the rules'", got)
	}
	if c.Holiday(date(t, "2027-01-04")) {
		t.Error("a holiday of Scotland alone is kept")
	}
}

func TestLoadHolidaysFaults(t *testing.T) {
	whole := "2027 " + published[2027]
	for name, tt := range map[string]struct {
		text string
		want []string // beginnings, one a fault
	}{
		"empty":                      {"", []string{"f:1: there is no date"}},
		"comments alone":             {"# none\n", []string{"f:1: there is no date"}},
		"not a date":                 {"2027-06-07\n7 June 2027\n2027-02-30\n", []string{`f:2: "7 June 2027" is no date`, `f:3: "2027-02-30" is no date`}},
		"unknown years":              {"1999-01-01\n2100-01-01", []string{"f:1: the year of 1999-01-01", "f:2: the year of 2100-01-01"}},
		"twice":                      {"2027-06-07\n\nnot 2027-06-07", []string{"f:3: 2027-06-07 is here twice; it is on line 1"}},
		"removed, but not a holiday": {"not 2027-06-07", []string{"f:1: 2027-06-07 is no bank holiday"}},
		"broken JSON":                {"{\n \"england-and-wales\": {\n \"events\": [}\n}", []string{"f:3: is not JSON"}},
		"cut JSON":                   {"{\n \"england-and-wales\": {\n", []string{"f:2: is not JSON"}},
		"no division":                {"{\n\"wales\": {}}", []string{`f:1: there is no "england-and-wales"`}},
		"no events":                  {"{\n\"england-and-wales\":\n {\"events_\": []}}", []string{`f:3: there is no "events"`}},
		"events an object":           {"{\"england-and-wales\":\n{\"events\":\n {}}}", []string{`f:3: "events" is no list`}},
		"no event":                   {"{\"england-and-wales\":{\"events\":[]}}", []string{"f:1: there is no bank holiday"}},
		"half a year":                {govUK("2027 01-01 03-26 03-29 05-03"), []string{"f:3: 2027 has 4 of at least 8"}},
		"a bad date":                 {strings.Replace(govUK(whole), "2027-03-29", "29 March", 1), []string{`f:5: "29 March" is no date`}},
		"a date twice":               {strings.Replace(govUK(whole), "2027-03-29", "2027-03-26", 1), []string{"f:5: 2027-03-26 is here twice; it is on line 4"}},
		"not an object":              {strings.Replace(govUK(whole), `{"title":"New Year’s Day","date":"2027-03-29","notes":"","bunting":true}`, "17", 1), []string{"f:5: is no bank holiday"}},
		"date not a text":            {strings.Replace(govUK(whole), `"2027-03-29"`, "20270329", 1), []string{"f:5: is no bank holiday"}},
		"too large":                  {strings.Repeat("#", maxHolidayBytes+1), []string{"f:1: is larger"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := LoadHolidays("f", strings.NewReader(tt.text))
			var faults plaintext.Faults
			if !errors.As(err, &faults) || c != nil {
				t.Fatalf("calendar %v, error %v", c, err)
			}
			if !slices.EqualFunc(faults, tt.want, func(f plaintext.Fault, want string) bool { return strings.HasPrefix(f.Error(), want) }) {
				t.Errorf("faults:\n%s\nwant:\n%s", faults, strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestLoadHolidaysFailingReader(t *testing.T) {
	broken := errors.New("broken")
	if _, err := LoadHolidays("f", readerFunc(func([]byte) (int, error) { return 0, broken })); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func FuzzLoadHolidays(f *testing.F) {
	f.Add("2027-06-07\nnot 2027-05-31\n")
	f.Add(govUK("2027 " + published[2027]))
	f.Add(`{"england-and-wales":{"events":[{"date":"2027-01-01"},null,{}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := LoadHolidays("f", strings.NewReader(text))
		var faults plaintext.Faults
		if (c == nil) == (err == nil) || err != nil && !errors.As(err, &faults) {
			t.Fatalf("calendar %v, error %v", c != nil, err)
		}
		lines := 1 + strings.Count(text, "\n")
		for _, fault := range faults {
			if fault.Line < 1 || fault.Line > lines {
				t.Errorf("%v, of %d lines", fault, lines)
			}
		}
	})
}
