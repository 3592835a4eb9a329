package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
)

// matrixCommand holds the commands for matrix files.
type matrixCommand struct {
	Check matrixCheck `cmd:"" help:"Check a matrix file and list everything that is wrong with it."`
	Show  matrixShow  `cmd:"" help:"Show a matrix."`
}

type matrixCheck struct {
	File string `arg:"" help:"The matrix file (YAML)."`
}

// Run prints a summary of the file, or all its faults by line.
func (c matrixCheck) Run(s system) error {
	m, err := loadMatrix(c.File)
	var faults plaintext.Faults
	if errors.As(err, &faults) {
		return printFaults(s.err, faults)
	}
	if err != nil {
		return err
	}
	languages := make([]string, len(m.Languages))
	for i, l := range m.Languages {
		languages[i] = string(l)
	}
	fmt.Fprintf(s.out, "%s: %s, version %d: %d dimensions, %d elements, %d levels, %d roles; ",
		c.File, m.ID, m.Version, len(m.Dimensions), len(m.Elements()), len(m.Levels), len(m.Roles()))
	fmt.Fprintf(s.out, "languages: %s. It fits Slack and Discord.\n", strings.Join(languages, ", "))
	return nil
}

type matrixShow struct {
	matrixFlag
	Edition string `help:"matrix_show_edition" placeholder:"ID"`
	Lang    string `help:"matrix_show_lang" placeholder:"LANG"`
	Format  string `help:"text or json." enum:"text,json" default:"text"`
}

// Run prints the matrix.
func (c matrixShow) Run(s system) error {
	m, err := c.choose(c.Edition)
	if err != nil {
		return err
	}
	lang := matrix.Lang(c.Lang)
	if lang != "" && !m.Has(lang) {
		return fmt.Errorf("show matrix: %s is not written in %q; it has %v", m.ID, lang, m.Languages)
	}
	if c.Format == "json" {
		raw, err := matrix.JSON(m, lang)
		if err != nil {
			return fmt.Errorf("show matrix: %w", err)
		}
		_, err = fmt.Fprintln(s.out, strings.TrimRight(string(raw), "\n"))
		return err
	}
	if lang == "" {
		lang = m.Languages[0]
	}
	_, err = io.WriteString(s.out, matrix.PlainText(m, lang))
	return err
}

// choose returns the matrix with an id. Without an id, it returns that of the file, or else the first
// edition.
func (f matrixFlag) choose(id string) (*matrix.Matrix, error) {
	all, err := f.matrices()
	if err != nil {
		return nil, err
	}
	if id == "" {
		return all[0], nil
	}
	m, known := all.ForNewRounds(id)
	if !known {
		var ids []string
		for _, m := range all.Newest() {
			ids = append(ids, m.ID)
		}
		return nil, fmt.Errorf("there is no matrix %q; there are %s", id, strings.Join(ids, ", "))
	}
	return m, nil
}
