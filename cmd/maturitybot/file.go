package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// replaceFile writes a file whole: whoever opens it finds what was there before, or all of the new. A device or a pipe
// takes what is written and stays what it is.
func replaceFile(path string, data []byte) (err error) {
	mode := os.FileMode(0o644) // what may be published may be read
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
