package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"maturitybot/adapters/answers"
	"maturitybot/adapters/resultfiles"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// resultsCommand computes results from a file of answers.
type resultsCommand struct {
	File      string `arg:"" optional:"" name:"answers.csv" help:"results_file"`
	Edition   string `help:"results_edition" default:"england" placeholder:"ID|FILE"`
	MinGroup  int    `help:"results_min_group" default:"5" placeholder:"N"`
	Consensus int    `help:"results_consensus" default:"70" placeholder:"PERCENT"`
	Area      string `help:"Name of the local area, for titles. Default: the name of the file." placeholder:"NAME"`
	Lang      string `help:"Language of the results." enum:"en,cy" default:"en"`
	Format    string `help:"results_format" placeholder:"FORMAT"`
	Workshop  bool   `help:"results_workshop"`
	Out       string `short:"o" help:"Write to this file instead of standard output." placeholder:"FILE"`
	Example   bool   `help:"Write an example file of answers as CSV."`
	Wide      bool   `help:"results_wide"`
}

// Run writes the results, or says everything that is wrong with the answers and writes nothing.
func (c resultsCommand) Run(s system) error {
	m, err := c.matrix()
	if err != nil {
		return err
	}
	words := sentences()
	if c.Example {
		if c.File != "" {
			return errors.New("--example reads no answers; leave the file out, or give it with -o to write it")
		}
		return c.example(m, words.In(c.Lang), s.out)
	}
	if c.Wide {
		return errors.New("--wide goes with --example; what form a file has is found from its header")
	}
	if err := checkOutput(c.Out, c.File, c.Edition); err != nil {
		return err
	}
	format, err := c.format(s.out)
	if err != nil {
		return err
	}
	terms, err := c.terms()
	if err != nil {
		return err
	}
	p, err := c.published(m, terms, s.in)
	var faults plaintext.Faults
	if errors.As(err, &faults) {
		return printFaults(s.err, faults)
	}
	if err != nil {
		return err
	}
	draw := resultfiles.New(words).In
	if c.Workshop {
		draw = resultfiles.New(words).Workshop
	}
	out, err := draw(format, p, matrix.Lang(c.Lang))
	if err != nil {
		return err
	}
	return c.write(out, s.out)
}

// printFaults prints the faults one by one, because those of a large file may not fit in one error.
func printFaults(to io.Writer, faults plaintext.Faults) error {
	w := bufio.NewWriter(to)
	for _, fault := range faults {
		fmt.Fprintln(w, fault)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print faults: %w", err)
	}
	return errReported
}

// matrix is the edition of that name, else the matrix in that file.
func (c resultsCommand) matrix() (*matrix.Matrix, error) {
	m, err := matrixFlag{}.choose(c.Edition)
	if err == nil {
		return m, nil
	}
	if info, missing := os.Stat(c.Edition); missing != nil || info.IsDir() {
		return nil, fmt.Errorf("%w; nor is it a matrix file", err)
	}
	return ownMatrix(c.Edition).choose("")
}

// format returns what to write.
func (c resultsCommand) format(out io.Writer) (string, error) {
	formats := resultfiles.Formats()
	if c.Workshop {
		formats = resultfiles.WorkshopFormats()
	}
	return chooseFormat(c.Format, c.Out, formats, out)
}

func (c resultsCommand) terms() (results.Context, error) {
	t := results.Context{
		Area:      strings.TrimSpace(c.Area),
		MinGroup:  c.MinGroup,
		Consensus: results.Consensus{Percent: c.Consensus},
	}
	switch {
	case c.File == "":
		return t, errors.New("name the file of answers; --example writes one")
	case c.MinGroup < results.MinGroupFloor:
		return t, fmt.Errorf("--min-group is %d; want %d or more, so that nobody's answer can be identified",
			c.MinGroup, results.MinGroupFloor)
	case c.Consensus < 1 || c.Consensus > 100:
		return t, fmt.Errorf("--consensus is %d; want 1 to 100", c.Consensus)
	case t.Area == "" && c.File == "-":
		return t, errors.New("name the local area with --area when the answers come from standard input")
	case t.Area == "":
		t.Area = strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))
	}
	if n := utf8.RuneCountInString(t.Area); n > survey.MaxAreaRunes {
		return t, fmt.Errorf("the name of the local area has %d characters; "+
			"give one of at most %d with --area", n, survey.MaxAreaRunes)
	}
	return t, nil
}

// published reads the answers and counts them.
func (c resultsCommand) published(m *matrix.Matrix, terms results.Context, in io.Reader) (results.Published, error) {
	if c.File != "-" {
		f, err := openFile(c.File)
		if err != nil {
			return results.Published{}, err
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	tally := results.NewTally(m)
	turnout, err := answers.Read(c.File, in, m, tally.Add)
	if err != nil {
		return results.Published{}, err
	}
	tally.SetTurnout(turnout)
	return results.Publish(tally, terms), nil
}

// write puts out where it belongs: a file is there whole or, when something goes wrong, as it was before.
func (c resultsCommand) write(out []byte, to io.Writer) error {
	if c.Out == "" {
		if _, err := to.Write(out); err != nil {
			return fmt.Errorf("write results: %w", err)
		}
		return nil
	}
	if err := replaceFile(c.Out, out, private); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// exampleSeed makes the example the same each time.
const exampleSeed = 4

// example writes answers of invented people, some for each role.
func (c resultsCommand) example(m *matrix.Matrix, v locale.Voice, to io.Writer) error {
	o := newOpinions(exampleSeed, m)
	var rows []answers.Row
	for i := range 34 { // as many as answered in an average area of the report
		role := ""
		if roles := m.Roles(); i < 32 && len(roles) > 0 {
			role = roles[i%len(roles)].ID
		}
		bias := 0.4 * o.rng.NormFloat64()
		for _, e := range m.Elements() {
			row := answers.Row{Respondent: fmt.Sprintf("p%02d", i+1), Role: role, Element: e.ID, Rating: o.rate(e.ID, bias)}
			if row.Rating != matrix.NotAnswered && o.rng.Float64() < 0.03 {
				row.Comment = v.Say(notes[o.rng.IntN(len(notes))])
			}
			rows = append(rows, row)
		}
	}
	var b bytes.Buffer
	write := answers.Write
	if c.Wide {
		write = func(to io.Writer, m *matrix.Matrix, all []answers.Row) error {
			return answers.WriteWide(to, m, matrix.Lang(c.Lang), all)
		}
	}
	if err := write(&b, m, rows); err != nil {
		return err
	}
	return c.write(b.Bytes(), to)
}
