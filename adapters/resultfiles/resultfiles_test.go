package resultfiles

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"maturitybot/bot/locale"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

func published(t *testing.T) results.Published {
	t.Helper()
	editions := matrix.Editions()
	tally := results.NewTally(editions[1])
	for i := range 6 {
		r := results.Response{Group: "health", Answers: map[string]results.Answer{}}
		for _, e := range editions[1].Elements() {
			r.Answers[e.ID] = results.Answer{Rating: matrix.Rating(1 + i%3)}
		}
		tally.Add(r)
	}
	at := time.Date(2027, 1, 5, 17, 0, 0, 0, time.UTC)
	return results.Publish(tally, results.Context{Round: "r", Area: "Ynys Môn", MinGroup: 5, Consensus: results.Consensus{Percent: 70}, OpenedAt: at, ClosedAt: at})
}

// overview is one area in each nation.
func overview(t *testing.T) results.Overview {
	t.Helper()
	all := matrix.Editions()
	areas := results.NewAreas(all[0])
	for _, n := range matrix.Nations {
		if err := areas.Add(results.AreaRating{Area: string(n), Nation: n, Element: "quality", Rating: 2}); err != nil {
			t.Fatal(err)
		}
	}
	return areas.Overview()
}

func TestAreasAreDrawnInEveryFormat(t *testing.T) {
	words := locale.New()
	for _, format := range AreasFormats {
		b, err := New(words).Areas(overview(t), matrix.Welsh, format)
		if err != nil || len(b) < 500 {
			t.Errorf("%s: %d bytes, %v", format, len(b), err)
		}
	}
	if _, err := New(words).Areas(overview(t), matrix.Welsh, "doc"); err == nil {
		t.Error("drew a format that is none")
	}
}

// TestEveryWordIsUsed: no column, sheet or note of a table or a picture stands empty in either language.
func TestEveryWordIsUsed(t *testing.T) {
	words := locale.New()
	a, p := New(words), published(t)
	var walk func(t *testing.T, name string, v reflect.Value)
	walk = func(t *testing.T, name string, v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			if s := v.String(); strings.TrimSpace(s) == "" || strings.ContainsAny(s, "⟦⟧{}") {
				t.Errorf("%s is %q", name, s)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				walk(t, name+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(t, name+"."+key.String(), v.MapIndex(key))
			}
		case reflect.Slice:
			if v.Len() == 0 {
				t.Errorf("%s is empty", name)
			}
			for i := range v.Len() {
				walk(t, name, v.Index(i))
			}
		}
	}
	for _, lang := range []matrix.Lang{matrix.English, matrix.Welsh} {
		t.Run(string(lang), func(t *testing.T) {
			walk(t, "table", reflect.ValueOf(a.tableWords(p, lang)))
			walk(t, "workshop sheet", reflect.ValueOf(a.workshopWords(p, lang)))
			walk(t, "chart", reflect.ValueOf(a.chartWords(p, lang)))
			walk(t, "chart of a workshop", reflect.ValueOf(movementWords(a.words.In(string(lang)), assessed(p.Matrix), p.Matrix, lang)))
			walk(t, "table of a workshop", reflect.ValueOf(assessmentWords(a.words.In(string(lang)), assessed(p.Matrix), p.Matrix, lang)))
			walk(t, "table of areas", reflect.ValueOf(a.areasTable(overview(t), lang)))
			walk(t, "chart of areas", reflect.ValueOf(a.areasChart(overview(t), lang)))
		})
	}
}

func TestFileFormats(t *testing.T) {
	words := locale.New()
	a, p := New(words), published(t)
	files, err := a.ExportFiles(p, matrix.Welsh)
	if err != nil {
		t.Fatal(err)
	}
	begins := map[string]string{
		"maturity-ynys-mon-2027-01-r.xlsx": "PK", "maturity-ynys-mon-2027-01-r.csv": "",
		"workshop-maturity-ynys-mon-2027-01-r.xlsx": "PK", "workshop-maturity-ynys-mon-2027-01-r.html": "<!doctype html>",
		"maturity-ynys-mon-2027-01-r.json": "{", "maturity-ynys-mon-2027-01-r.svg": "<svg",
	}
	for _, f := range files {
		start, ok := begins[f.Name]
		if !ok || f.Type == "" || !bytes.HasPrefix(f.Data, []byte(start)) {
			t.Errorf("%s, %s, %.10q", f.Name, f.Type, f.Data)
		}
		delete(begins, f.Name)
	}
	if len(begins) > 0 {
		t.Errorf("missing: %v", begins)
	}
	png, alt, err := a.Picture(p, matrix.Welsh)
	if err != nil || !bytes.HasPrefix(png, []byte("\x89PNG")) || !strings.Contains(alt, "Cynnar") || len([]rune(alt)) > maxAlt {
		t.Errorf("%v, %.5q, %s", err, png, alt)
	}
	text, err := a.Table(p, matrix.Welsh)
	if err != nil || !strings.Contains(text, "Partneriaeth") {
		t.Errorf("%v\n%s", err, text)
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > messageWidth {
			t.Errorf("%d characters: %s", n, line)
		}
	}
}
