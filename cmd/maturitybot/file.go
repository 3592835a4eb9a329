package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"maturitybot/adapters/terminal"
	"maturitybot/survey/matrix"
)

// openFile opens a file that the user named, for reading. Its errors are sentences for the user, the
// same for every command.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err == nil {
		if info, bad := f.Stat(); bad == nil && info.IsDir() {
			_ = f.Close() // it was only looked at
			return nil, fmt.Errorf("%s is a folder; name a file", path)
		}
		return f, nil
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fileError{fmt.Sprintf("there is no file %s", path), err}
	case errors.Is(err, fs.ErrPermission):
		return nil, fileError{fmt.Sprintf("%s cannot be read: permission denied", path), err}
	}
	return nil, err
}

// fileError says in a sentence why a file cannot be opened, and wraps the operating system's error.
type fileError struct {
	text  string
	cause error
}

func (e fileError) Error() string { return e.text }
func (e fileError) Unwrap() error { return e.cause }

// loadMatrix reads the matrix in a file. The error is a plaintext.Faults if the content is wrong.
func loadMatrix(path string) (*matrix.Matrix, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return matrix.Load(path, f)
}

// The modes of new files.
const (
	public  = os.FileMode(0o644) // for files without names and without text that people wrote
	private = os.FileMode(0o600) // for all other files: comments can name people, audit logs do
)

// checkOutput returns an error if the output file is one of the inputs. It ignores an input that is
// not a file.
func checkOutput(out string, inputs ...string) error {
	to, err := os.Stat(out)
	if err != nil {
		return nil // there is no file to overwrite
	}
	for _, input := range inputs {
		if from, err := os.Stat(input); err == nil && os.SameFile(from, to) {
			return fmt.Errorf("-o %s is the file that is read; name another", out)
		}
	}
	return nil
}

// chooseFormat returns the format to write: the given one, or else the one that the ending of the
// output file says, or else, without a file, the first of the formats.
func chooseFormat(given, out string, formats []string, to io.Writer) (string, error) {
	format := given
	if format == "" {
		ending := strings.TrimPrefix(strings.ToLower(filepath.Ext(out)), ".")
		switch {
		case out == "":
			format = formats[0]
		case ending == "txt" && slices.Contains(formats, "text"):
			format = "text"
		case slices.Contains(formats, ending):
			format = ending
		default:
			return "", fmt.Errorf("the ending of %s says no format; give one with --format: %s",
				out, strings.Join(formats, ", "))
		}
	}
	if !slices.Contains(formats, format) {
		return "", fmt.Errorf("there is no format %q; there are %s",
			format, strings.Join(formats, ", "))
	}
	if out == "" && (format == "xlsx" || format == "png") && terminal.IsTerminal(to) {
		return "", fmt.Errorf("%s cannot be read in a terminal: name a file with -o, "+
			"or redirect with > or |", format)
	}
	return format, nil
}

// replaceFile writes a file that the user named. A reader finds the old content or all of the new. A
// link is followed, and a file that is there keeps its mode. A device or a pipe is written to.
func replaceFile(path string, data []byte, mode os.FileMode) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil {
		switch {
		case info.IsDir():
			return fmt.Errorf("%s is a folder; name a file", path)
		case !info.Mode().IsRegular():
			return os.WriteFile(path, data, mode)
		}
		mode = info.Mode().Perm()
	}
	return putFile(path, data, mode)
}

// putFile writes a file, and replaces any file of that name at once. A link is replaced, and the file
// that it leads to does not change.
func putFile(path string, data []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".maturitybot-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error says what matters
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
