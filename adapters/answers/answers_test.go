package answers

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

func england(t testing.TB) *survey.Matrix {
	t.Helper()
	editions, err := matrix.Editions()
	if err != nil {
		t.Fatal(err)
	}
	return editions[0]
}

func read(m *survey.Matrix, text string) ([]survey.Response, survey.Turnout, error) {
	var all []survey.Response
	turnout, err := Read("a.csv", strings.NewReader(text), m, func(r survey.Response) { all = append(all, r) })
	return all, turnout, err
}

func said(rating survey.Rating, note string) survey.Answer {
	return survey.Answer{Rating: rating, Detail: survey.Detail{Note: note}}
}

func TestReadUnderstands(t *testing.T) {
	m := england(t)
	midwife := []survey.Response{
		{Group: "health", Answers: map[string]survey.Answer{"vision": said(2, "Go on, \"please\""), "needs": said(survey.DontKnow, "")}},
		{Answers: map[string]survey.Answer{"vision": said(survey.NotAnswered, "")}},
	}
	for name, text := range map[string]string{
		"ids":         "respondent,role,element,level,comment\na,midwife,vision,early,\"Go on, \"\"please\"\"\"\na,midwife,needs,dont_know,\nb,,vision,,\n",
		"names":       "Respondent,Role,Element,Level,Comment\na,Midwife or other maternity staff,\"Shared vision, strategy and plan\",Early progress,\"Go on, \"\"please\"\"\"\na,,Understanding local needs,DONT_KNOW,\nb,,vision,,\n",
		"Welsh":       "respondent,role,element,level,comment\na,\"Bydwraig neu aelod arall o staff mamolaeth\",\"Gweledigaeth, strategaeth a chynllun ar y cyd\",Cynnydd cynnar,\"Go on, \"\"please\"\"\"\na,,needs,dont_know,\nb,,vision,,\n",
		"the report":  "respondent,role,element,level,comment\na,Midwife / maternity,\"Strategy: vision, strategy & plan\",Early,\"Go on, \"\"please\"\"\"\na,,Strategy: population needs,dont_know,\nb,,vision,,\n",
		"numbers":     "respondent,role,element,level,comment\na,midwife,vision,2,\"Go on, \"\"please\"\"\"\na,,needs,dont_know,\nb,,vision,,\n",
		"spreadsheet": "\ufefflevel;comment;respondent;element;role\r\n 2 ;\"Go on, \"\"please\"\"\";A; VISION ;\r\n;;;;\r\nDont_Know;; a ;needs;Midwife\r\n;;b;vision;\r\n",
		"any order":   "respondent,role,element,level,comment\na,,vision,2,\"Go on, \"\"please\"\"\"\nb,,vision,,\na,midwife,needs,dont_know,\n",
	} {
		got, turnout, err := read(m, text)
		if err != nil || !reflect.DeepEqual(got, midwife) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, midwife)
			continue
		}
		i := slices.IndexFunc(turnout.Roles, func(c survey.RoleCount) bool { return c.Role == "midwife" })
		if turnout.Finished != 2 || turnout.Roles[i].Finished != 1 || turnout.Unstated.Finished != 1 || turnout.Invited != 0 {
			t.Errorf("%s: turnout %+v", name, turnout)
		}
	}
}

// TestEveryNameIsUnderstood: what the matrix calls its elements, roles and levels can stand in a file, in both editions.
func TestEveryNameIsUnderstood(t *testing.T) {
	editions, err := matrix.Editions()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range editions {
		n := newNames(m)
		check := func(v vocabulary, want int, words ...string) {
			for _, w := range words {
				if got, ok := v.places[fold(strings.ReplaceAll(w, "'", "’"))]; !ok || got != want {
					t.Errorf("%s: %q is %d, want %d", m.ID, w, got, want)
				}
			}
		}
		for i, e := range m.Elements() {
			check(n.elements, i, append(append(wordings(e.Name), e.Also...), e.ID)...)
		}
		for i, r := range m.Roles() {
			check(n.roles, i, append(append(wordings(r.Name), r.Also...), r.ID)...)
		}
		for i, l := range m.Levels {
			check(n.levels, i+1, append(append(wordings(l.Name, l.Short), l.Also...), l.ID, fmt.Sprint(i+1))...)
		}
		check(n.levels, int(survey.NotApplicable), "not_applicable")
	}
}

const header = "respondent,role,element,level,comment\n"

func TestFaultsAreAllToldByLine(t *testing.T) {
	m := england(t)
	for name, c := range map[string]struct {
		text string
		want []string // what each fault begins with
	}{
		"nothing":          {"", []string{"a.csv:1: the file has no answers; "}},
		"no rows":          {header, []string{"a.csv:1: the file has no answers; "}},
		"unknown column":   {"respondent,role,element,level,name\n", []string{"a.csv:1: column 5 of the header is not known; "}},
		"column twice":     {"respondent,role,element,level,Level \n", []string{"a.csv:1: columns 4 and 5 have the same name; "}},
		"columns missing":  {"role,element\n", []string{`a.csv:1: the header has no column "respondent"; `, `a.csv:1: the header has no column "level"; `}},
		"broken header":    {"respondent,\"role\n", []string{"a.csv:1: the row cannot be read: "}},
		"too few cells":    {header + "Secret,,vision\n", []string{"a.csv:2: the row has 3 cells; expected 5"}},
		"too many cells":   {header + "Secret,,vision,1,a,b\n", []string{"a.csv:2: the row has 6 cells; "}},
		"no respondent":    {header + " ,,vision,1,\n", []string{"a.csv:2: the respondent is empty; "}},
		"no element":       {header + "Secret,,,1,\n", []string{"a.csv:2: the element is empty; "}},
		"unknown element":  {header + "x,,Secret,1,\n", []string{"a.csv:2: the element is not one of the matrix england; expected one of vision, needs, "}},
		"unknown role":     {header + "x,Secret,vision,1,\n", []string{"a.csv:2: the role is not one of the matrix england; expected one of public-health, "}},
		"unknown level":    {header + "x,,vision,Secret,\n", []string{"a.csv:2: the level is not one of the matrix england; expected one of basic, early, substantial, mature, a name of one, 1 to 4, dont_know, not_applicable, or nothing"}},
		"level too high":   {header + "x,,vision,5,\nx,,needs,0,\n", []string{"a.csv:2: the level is ", "a.csv:3: the level is "}},
		"same element":     {header + "Secret,,needs,1,\nSecret,,vision,1,\nsecret,,Strategy: population needs,,\n", []string{"a.csv:4: the respondent has a row for this element already, on line 2; "}},
		"two roles":        {header + "Secret,,needs,1,\nSecret,midwife,vision,1,\nSecret,parent,leadership,1,\n", []string{"a.csv:4: the respondent has another role than on line 3; "}},
		"long comment":     {header + "x,,vision,1," + strings.Repeat("ŵ", survey.MaxNoteRunes+1) + "\n", []string{"a.csv:2: the comment has 501 characters; at most 500"}},
		"quotes":           {header + "x,,vision,1,a \"Secret\" b\ny,,visio,1,\n", []string{`a.csv:2: the row cannot be read: bare "`, "a.csv:3: the element is not"}},
		"open quotes":      {header + "x,,vision,1,\"Secret\ny,,vision,1,\n", []string{"a.csv:2: the row cannot be read: "}},
		"not UTF-8":        {header + "x,,vision,1,Secret \xe9\n", []string{"a.csv:2: the row is not in UTF-8; "}},
		"UTF-16":           {"\xff\xfer\x00e\x00", []string{"a.csv:1: column 1 of the header is not known; ", `a.csv:1: the header has no column "respondent"; `, `a.csv:1: the header has no column "role"; `, `a.csv:1: the header has no column "element"; `, `a.csv:1: the header has no column "level"; `}},
		"several in a row": {header + ",Secret,Secret,Secret,\n", []string{"a.csv:2: the respondent", "a.csv:2: the element", "a.csv:2: the role", "a.csv:2: the level"}},
		"after many lines": {header + "x,,vision,1,\"two\nlines\"\n\ny,,vision,9,\n", []string{"a.csv:5: the level"}},
	} {
		got, _, err := read(m, c.text)
		var faults survey.Faults
		if !errors.As(err, &faults) || got != nil {
			t.Errorf("%s: error %v, %d responses", name, err, len(got))
			continue
		}
		if strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("%s: a cell is repeated: %v", name, err)
		}
		if len(faults) != len(c.want) {
			t.Errorf("%s: %d faults:\n%v", name, len(faults), err)
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(faults[i].Error(), want) || faults[i].Want == "" {
				t.Errorf("%s:\n got %v\nwant %s", name, faults[i], want)
			}
		}
	}
}

func TestNamesThatTwoThingsHave(t *testing.T) {
	m := england(t)
	elements := m.Dimensions[0].CoreElements[0].Elements
	elements[0].Also = append(elements[0].Also, "The plan", "Partnership")
	elements[1].Also = append(elements[1].Also, "the PLAN")
	_, _, err := read(m, header+"x,,The plan,1,\n")
	if err == nil || !strings.HasPrefix(err.Error(), "a.csv:2: more than one element goes by this name; expected one of ") {
		t.Errorf("%v", err)
	}
	// Partnership is an id as well, and that is what it means.
	got, _, err := read(m, header+"x,,Partnership,1,\n")
	if err != nil || got[0].Answers["partnership"].Rating != 1 {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestLimits(t *testing.T) {
	m := england(t)
	if r := newReader("a.csv", m); r.maxBytes != 64<<20 || r.maxRows != 1_000_000 {
		t.Errorf("%d bytes, %d rows", r.maxBytes, r.maxRows)
	}
	text := header + "x,,vision,1,\n,,,,\nx,,needs,1,\n"
	for _, c := range []struct {
		bytes, rows int
		want        string
	}{
		{len(text), 2, ""},
		{len(text) - 1, 2, fmt.Sprintf("a.csv:1: the file is too large; at most %d bytes", len(text)-1)},
		{len(text), 1, "a.csv:4: the file has too many rows; at most 1"},
	} {
		r := newReader("a.csv", m)
		r.maxBytes, r.maxRows = c.bytes, c.rows
		if err := r.rows(iotest.OneByteReader(strings.NewReader(text))); err != nil || r.faults.Error() != c.want {
			t.Errorf("%v, %q, want %q", err, r.faults.Error(), c.want)
		}
	}
	broken := errors.New("the disk is gone")
	if _, err := Read("a.csv", iotest.ErrReader(broken), m, func(survey.Response) {}); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
}

func TestWriteIsRead(t *testing.T) {
	m := england(t)
	rows := []Row{
		{"a", "midwife", "vision", 4, "one,\n\"two\""}, {"a", "midwife", "needs", survey.DontKnow, ""},
		{"b", "", "vision", survey.NotApplicable, ""}, {"b", "", "needs", survey.NotAnswered, ""},
	}
	var b bytes.Buffer
	if err := Write(&b, m, rows); err != nil {
		t.Fatal(err)
	}
	got, _, err := read(m, b.String())
	want := []survey.Response{
		{Group: "health", Answers: map[string]survey.Answer{"vision": said(4, "one,\n\"two\""), "needs": said(survey.DontKnow, "")}},
		{Answers: map[string]survey.Answer{"vision": said(survey.NotApplicable, ""), "needs": said(survey.NotAnswered, "")}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

// FuzzRead: whatever the file, there are either responses that fit the matrix or faults on lines of the file.
func FuzzRead(f *testing.F) {
	m := england(f)
	f.Add(header + "a,midwife,vision,early,good\nb,,needs,dont_know,\n")
	f.Add("\ufeffrespondent;element;level;role\r\n a ;Vision;2;\r\n")
	f.Add(header + "a,,vision,1,\"open\n")
	f.Add(header + ",x,y,z,\xff\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, turnout, err := read(m, text)
		if err != nil {
			var faults survey.Faults
			if !errors.As(err, &faults) || got != nil {
				t.Fatalf("%d responses and %v", len(got), err)
			}
			for i, fault := range faults {
				if fault.Line < 1 || fault.Line > strings.Count(text, "\n")+1 || i > 0 && fault.Line < faults[i-1].Line {
					t.Fatalf("line %d of %d: %v", fault.Line, strings.Count(text, "\n")+1, err)
				}
			}
			return
		}
		if len(got) == 0 || turnout.Finished != len(got) {
			t.Fatalf("%d responses, %d finished", len(got), turnout.Finished)
		}
		for _, r := range got {
			for id, a := range r.Answers {
				if _, _, ok := m.Element(id); !ok || a.Rating < survey.NotApplicable || int(a.Rating) > len(m.Levels) {
					t.Fatalf("%q: %d", id, a.Rating)
				}
			}
		}
	})
}
