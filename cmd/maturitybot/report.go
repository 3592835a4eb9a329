package main

import (
	"errors"
	"fmt"
	"slices"

	"maturitybot/adapters/ratings"
	"maturitybot/adapters/resultfiles"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

type reportCommand struct {
	File   string `arg:"" help:"report_file"`
	Format string `help:"report_format" placeholder:"FORMAT"`
	Out    string `short:"o" help:"Write to this file instead of standard output." placeholder:"FILE"`
	Lang   string `help:"Language: en or cy." enum:"en,cy" default:"en"`
	Matrix string `help:"report_matrix" placeholder:"FILE"`
}

// Run writes the tables, or all that is wrong with the ratings by line.
func (c reportCommand) Run(s system) error {
	if err := checkOutput(c.Out, c.File, c.Matrix); err != nil {
		return err
	}
	format, err := chooseFormat(c.Format, c.Out, resultfiles.AreasFormats, s.out)
	if err != nil {
		return err
	}
	overview, err := c.overview(s)
	if err != nil {
		return err
	}
	drawn, err := resultfiles.New(sentences()).Areas(overview, matrix.Lang(c.Lang), format)
	if err != nil {
		return fmt.Errorf("draw report: %w", err)
	}
	if c.Out == "" {
		_, err := s.out.Write(drawn)
		return err
	}
	if err := replaceFile(c.Out, drawn, public); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// overview reads the ratings on the file's matrix, or else on the editions: in the words of Wales's where all areas are
// there, since England's name things that Wales does not have, and otherwise in England's.
func (c reportCommand) overview(s system) (results.Overview, error) {
	matrices, err := ownMatrix(c.Matrix).matrices()
	if err != nil {
		return results.Overview{}, err
	}
	if c.Matrix != "" {
		matrices = matrices[:1]
	}
	read := func() (results.Overview, error) {
		f, err := openFile(c.File)
		if err != nil {
			return results.Overview{}, err
		}
		defer func() { _ = f.Close() }() // it was only read
		areas, err := ratings.Read(c.File, f, matrices)
		var faults plaintext.Faults
		if errors.As(err, &faults) {
			return results.Overview{}, printFaults(s.err, faults)
		}
		if err != nil {
			return results.Overview{}, err
		}
		return areas.Overview(), nil
	}
	o, err := read()
	wales := slices.IndexFunc(matrices, func(m *matrix.Matrix) bool { return m.ID == string(matrix.Wales) })
	if err != nil || c.Matrix != "" || wales < 0 || len(o.Groups) != 1 || o.Groups[0].Nation != matrix.Wales {
		return o, err
	}
	matrices[0], matrices[wales] = matrices[wales], matrices[0]
	return read()
}
