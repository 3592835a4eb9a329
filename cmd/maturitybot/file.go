package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"maturitybot/survey/matrix"
)

// openFile opens a file that somebody named, for reading. Every command says the same when it cannot.
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
	said  string
	cause error
}

func (e fileError) Error() string { return e.said }
func (e fileError) Unwrap() error { return e.cause }

// loadMatrix reads the matrix in a file. The error is a plaintext.Faults when its content cannot stand.
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
	public  = os.FileMode(0o644) // of what names nobody and holds no text that people wrote
	private = os.FileMode(0o600) // of everything else: comments can name people, and records do
)

// checkOutput refuses to write over a file that is read. An input that is not a file is ignored.
func checkOutput(out string, inputs ...string) error {
	to, err := os.Stat(out)
	if err != nil {
		return nil // there is nothing to write over
	}
	for _, input := range inputs {
		if from, err := os.Stat(input); err == nil && os.SameFile(from, to) {
			return fmt.Errorf("-o %s is the file that is read; name another", out)
		}
	}
	return nil
}

// replaceFile writes a file that somebody named, whole: a reader finds what was there before, or all of the
// new. It follows a link. A file that is there keeps its mode. A device or a pipe is written to and stays
// what it is.
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

// putFile writes a file whole, in place of whatever has its name. If that is a link, the link is replaced
// and what it leads to stays as it is.
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
