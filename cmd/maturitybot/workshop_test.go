package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// workshopSheet writes the workshop sheet of an edition, and returns its path.
func workshopSheet(t *testing.T, edition, lang string) (path string) {
	t.Helper()
	_, example, _ := exec(t, "", "results", "--example", "--edition", edition, "--lang", lang)
	path = filepath.Join(t.TempDir(), "sheet.xlsx")
	code, out, errs := exec(t, example, "results", "-", "--area", "=Northshire", "--edition", edition, "--lang", lang, "--workshop", "-o", path)
	if code != 0 || out != "" || errs != "" {
		t.Fatalf("code %d, output %q, errors %q", code, out, errs)
	}
	return path
}

// fillIn writes the levels of the first elements into a workshop sheet, and returns its rows.
func fillIn(t *testing.T, path string, levels ...string) [][]string {
	t.Helper()
	book := need(excelize.OpenFile(path))(t)
	defer func() { _ = book.Close() }() // it was saved
	sheet := book.GetSheetName(0)
	rows := need(book.GetRows(sheet))(t)
	header := slices.IndexFunc(rows, func(row []string) bool {
		return len(row) > 3 && (row[3] == "level" || row[3] == "lefel")
	})
	for i, level := range levels {
		at := need(excelize.CoordinatesToCellName(4, header+2+i))(t)
		if err := book.SetCellStr(sheet, at, level); err != nil {
			t.Fatal(err)
		}
		rows[header+1+i][3] = level
	}
	if err := book.Save(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestWorkshopSheetIsReadBack fills in a sheet as a workshop does, and reads it as XLSX, and as the
// CSV that a spreadsheet program saves of it.
func TestWorkshopSheetIsReadBack(t *testing.T) {
	for _, c := range []struct{ edition, lang, name, short, nation, want string }{
		{"england", "en", "Early progress", "Mature", "England", "Average level"},
		{"wales", "cy", "Cynnydd cynnar", "Aeddfed", "Cymru", "Lefel gyfartalog"},
	} {
		path := workshopSheet(t, c.edition, c.lang)
		// A whole name, a number and a short name; the other elements are not rated.
		all := fillIn(t, path, c.name, "3", c.short)
		var text strings.Builder
		if err := csv.NewWriter(&text).WriteAll(all); err != nil {
			t.Fatal(err)
		}
		saved := filepath.Join(t.TempDir(), "sheet.csv")
		if err := os.WriteFile(saved, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		code, fromBook, errs := exec(t, "", "report", path, "--lang", c.lang)
		if code != 0 || errs != "" {
			t.Fatalf("%s: code %d, errors %q", c.lang, code, errs)
		}
		words := strings.Join(strings.Fields(fromBook), " ")
		if !strings.Contains(words, c.nation+": 1 ") || !strings.Contains(words, c.want+" 0% 33% 33% 33% 3") {
			t.Errorf("%s:\n%s", c.lang, fromBook)
		}
		if _, fromText, errs := exec(t, "", "report", saved, "--lang", c.lang); fromText != fromBook {
			t.Errorf("%s: as CSV: %q\n%s", c.lang, errs, fromText)
		}
	}
}

// TestWorkshopSheetNotFilledIn checks that an empty sheet says what is missing.
func TestWorkshopSheetNotFilledIn(t *testing.T) {
	path := workshopSheet(t, "england", "en")
	code, out, errs := exec(t, "", "report", path)
	if code != 1 || out != "" || !strings.Contains(errs, "sheet.xlsx:1: no level is filled in; expected a level in the rows of the elements that were rated") {
		t.Errorf("code %d, output %q, errors %q", code, out, errs)
	}
}

// TestWorkshopPage checks the page in both languages, with the figures hidden.
func TestWorkshopPage(t *testing.T) {
	for lang, want := range map[string]string{"en": "[c] means hidden. Fewer than 40 people", "cy": "Mae [c] yn golygu bod ffigur wedi&#39;i guddio."} {
		_, example, _ := exec(t, "", "results", "--example")
		code, out, errs := exec(t, example, "results", "-", "--area", "<b>Conwy", "--lang", lang, "--workshop", "--format", "html", "--min-group", "40")
		if code != 0 || errs != "" || !strings.Contains(out, `<html lang="`+lang+`">`) || !strings.Contains(out, want) || strings.Contains(out, "<b>") || strings.Contains(out, "%</td>") {
			t.Errorf("%s: code %d, errors %q, output:\n%.3000s", lang, code, errs, out)
		}
		if n := strings.Count(out, "<section"); n != 17 {
			t.Errorf("%s: %d sections", lang, n)
		}
	}
}
