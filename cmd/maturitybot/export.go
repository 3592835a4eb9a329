package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"maturitybot/adapters/resultfiles"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// exportCommand writes the files that the coordinator of a round can get, and nothing else. So an
// operator sees no more of the answers than a coordinator.
type exportCommand struct {
	matrixFlag
	storeFlag
	Round string `arg:"" help:"Id of the round, as maturitybot rounds prints it."`
	Out   string `short:"o" help:"Folder for the files." default:"." placeholder:"FOLDER" type:"path"`
	Lang  string `help:"Language: en or cy. Default: the language of the coordinator's channel." placeholder:"LANG"`
	Force bool   `help:"Replace existing files."`
}

// Run writes the results of a closed round, or prints the response rates of an open one.
func (c exportCommand) Run(ctx context.Context, s system) error {
	rounds, done, err := operator(ctx, c.matrixFlag, c.storeFlag)
	if err != nil {
		return err
	}
	defer done()
	id := survey.RoundID(c.Round)
	status, err := rounds.System().Progress(ctx, id)
	if errors.Is(err, survey.ErrNoRound) || !id.Valid() {
		return fmt.Errorf("there is no round %q; maturitybot rounds lists them", c.Round)
	}
	if err != nil {
		return err
	}
	m, err := rounds.Matrix(status.Round)
	if err != nil {
		return err
	}
	lang := matrix.Lang(c.Lang)
	if lang == "" {
		lang = status.Round.Languages[0]
	}
	if !m.Has(lang) {
		return fmt.Errorf("the matrix %s is not written in %q; it has %v", m.ID, lang, m.Languages)
	}
	switch status.Round.State {
	case survey.Draft:
		return fmt.Errorf("round %s has not been opened: there is nothing to export", c.Round)
	case survey.Open:
		return printRates(s.out, m, lang, status)
	}
	return c.exportClosed(ctx, s, rounds.System(), status.Round, lang)
}

// exportClosed writes the results of a closed round, and its audit log with an entry for this
// export.
func (c exportCommand) exportClosed(
	ctx context.Context, s system, rounds survey.System, r survey.Round, lang matrix.Lang,
) error {
	p, err := rounds.Results(ctx, r.ID)
	if err != nil {
		return err
	}
	renderer := resultfiles.New(sentences())
	renderAuditLog := func() (chat.File, error) {
		entries, err := rounds.AuditLog(ctx, r)
		if err != nil {
			return chat.File{}, err
		}
		return renderer.Record(p, entries)
	}
	files, err := renderResults(renderer, p, lang)
	if err != nil {
		return err
	}
	before, err := renderAuditLog()
	if err != nil {
		return err
	}
	// Checked first, so that the audit log has no entry for an export that fails.
	if err := c.prepareFolder(append(files, before)); err != nil {
		return err
	}
	err = rounds.Audit(ctx, r.ID, audit.Operator, audit.Exported)
	if err != nil {
		return err
	}
	after, err := renderAuditLog() // now with the entry for this export
	if err != nil {
		return err
	}
	return c.writeFiles(s.out, append(files, after))
}

// writeFiles writes the files to the folder, and prints their paths.
func (c exportCommand) writeFiles(out io.Writer, files []chat.File) error {
	for _, f := range files {
		if !filepath.IsLocal(f.Name) || filepath.Base(f.Name) != f.Name {
			return fmt.Errorf("write results: %q is not a valid file name", f.Name)
		}
		path := filepath.Join(c.Out, f.Name)
		if err := putFile(path, f.Data, private); err != nil {
			return fmt.Errorf("write results: %w", err)
		}
		fmt.Fprintln(out, path)
	}
	return nil
}

// renderResults returns a file of the results in every format, and the workshop sheet.
func renderResults(
	renderer *resultfiles.Renderer, p results.Published, lang matrix.Lang,
) (files []chat.File, err error) {
	for _, format := range resultfiles.Formats() {
		data, err := renderer.In(format, p, lang)
		if err != nil {
			return nil, err
		}
		ending := format
		if format == "text" {
			ending = "txt"
		}
		files = append(files, chat.File{Name: p.FileName() + "." + ending, Data: data})
	}
	sheets, err := renderer.WorkshopFiles(p, lang)
	if err != nil {
		return nil, err
	}
	return append(files, sheets...), nil
}

// prepareFolder creates the folder. It returns an error if the files cannot be written there.
func (c exportCommand) prepareFolder(files []chat.File) error {
	for _, f := range files {
		path := filepath.Join(c.Out, f.Name)
		switch info, err := os.Lstat(path); {
		case err == nil && info.IsDir():
			return fmt.Errorf("%s is a folder; nothing was written. "+
				"Name another folder with --out", path)
		case err == nil && !c.Force:
			return fmt.Errorf("%s is there already; nothing was written. "+
				"Name another folder with --out, or give --force", path)
		}
	}
	if err := os.MkdirAll(c.Out, 0o750); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	f, err := os.CreateTemp(c.Out, ".maturitybot-*")
	if err != nil {
		return fmt.Errorf("write to the folder: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// printRates prints how many people were invited and have finished. Before a round closes, nothing
// else is shown.
func printRates(out io.Writer, m *matrix.Matrix, lang matrix.Lang, s survey.Progress) error {
	fmt.Fprintf(out, "%s: the survey is open until %s. Results can be exported when it has closed; "+
		"until then there are response rates.\n\n",
		plain(s.Round.Area), moment(s.Round.ClosesAt.In(s.Round.Location())))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tINVITED\tFINISHED")
	for _, r := range s.Roles {
		role, _, _ := m.Role(r.Role)
		fmt.Fprintf(w, "%s\t%d\t%d\n", role.Name.In(lang), r.Invited, r.Finished)
	}
	fmt.Fprintf(w, "role not stated\t%d\t%d\n", s.Unstated.Invited, s.Unstated.Finished)
	fmt.Fprintf(w, "everybody\t%d\t%d\n", s.Invited, s.Finished)
	return w.Flush()
}
