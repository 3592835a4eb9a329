// Package matrix is the maturity matrix: its elements, levels, roles and wordings, and the words
// that people use for them. It reads matrices from YAML files, checks them, and writes them out to
// be read. England's and Wales's editions come with it. It knows the limits of the chat platforms
// that a matrix is asked on. It does not know the platforms, rounds or answers.
//
// testdata/eight.yaml is a complete file, with notes. Every text has one wording in each of the
// file's languages (a plain string where there is one language). Every id is lower-case letters,
// digits and single hyphens. What JSON writes is a file of this format too.
package matrix

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"sync"

	"maturitybot/survey/plaintext"
)

// MaxBytes is the largest file that is read; the editions that come with the product are a
// twentieth of it.
const MaxBytes = 1 << 20

//go:embed england-1.yaml england-2.yaml wales-1.yaml wales-2.yaml
var embedded embed.FS

// The files of the editions by version. A file that was published never changes: rounds that began
// with it keep its words.
var (
	newest  = []string{"england-2.yaml", "wales-2.yaml"}
	earlier = []string{"england-1.yaml", "wales-1.yaml"}
)

// Editions returns the newest version of each matrix that comes with the product, England's first.
// Each call returns fresh ones, the caller's to keep. The error is a plaintext.Faults.
func Editions() (List, error) { return loadEmbedded(newest) }

// EarlierEditions returns the versions that only rounds begun before still use, England's first.
// Each call returns fresh ones, the caller's to keep. The error is a plaintext.Faults.
func EarlierEditions() (List, error) { return loadEmbedded(earlier) }

// loadEmbedded reads the files side by side, because nothing else can begin before.
func loadEmbedded(names []string) ([]*Matrix, error) {
	all := make([]*Matrix, len(names))
	errs := make([]error, len(names))
	var reading sync.WaitGroup
	for i, name := range names {
		reading.Go(func() { all[i], errs[i] = loadEdition(name) })
	}
	reading.Wait()
	var faults plaintext.Faults
	for _, err := range errs {
		var found plaintext.Faults
		switch {
		case errors.As(err, &found):
			faults = append(faults, found...)
		case err != nil:
			return nil, err
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return all, nil
}

func loadEdition(name string) (*Matrix, error) {
	src, err := embedded.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read edition: %w", err)
	}
	return Load(name, bytes.NewReader(src))
}

// Load reads a matrix in UTF-8, or in UTF-16 with a byte order mark. The name is the file's name in
// faults. Load reports everything that is wrong at once: the error is then a plaintext.Faults, and
// there is no matrix. Load wraps an error of the reader.
func Load(name string, from io.Reader) (*Matrix, error) {
	src, err := io.ReadAll(io.LimitReader(plaintext.NewReader(from), MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read matrix %s: %w", name, err)
	}
	r := reader{file: name}
	var m *Matrix
	if root := r.parse(src); root != nil {
		m = r.matrix(root)
	}
	if len(r.faults) > 0 {
		r.faults.Sort()
		return nil, r.faults
	}
	return m, nil
}
