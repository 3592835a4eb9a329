// Package matrix is the maturity matrix: its elements, levels, roles and wordings, and the words
// that people use for them. It reads matrices from YAML files, checks them, and writes them out to
// be read. England's and Wales's editions come with it, as Go source that cmd/generate writes from
// their files. It knows the limits of the chat platforms that a matrix is asked on. It does not know
// the platforms, rounds or answers.
//
// testdata/eight.yaml is a complete file, with notes. Every text has one wording in each of the
// file's languages (a plain string where there is one language). Every id is lower-case letters,
// digits and single hyphens. What JSON writes is a file of this format too.
package matrix

import (
	"fmt"
	"io"

	"maturitybot/survey/plaintext"
)

// MaxBytes is the largest file that is read; the editions that come with the product are a
// twentieth of it.
const MaxBytes = 1 << 20

//go:generate go run maturitybot/cmd/generate editions.go

// Editions returns the newest version of each matrix that comes with the product, England's first.
// Each call returns fresh ones, the caller's to keep.
func Editions() List { return List{england2(), wales2()} }

// EarlierEditions returns the versions that only rounds begun before still use, England's first.
// Each call returns fresh ones, the caller's to keep. A version that was published never changes:
// rounds that began with it keep its words.
func EarlierEditions() List { return List{england1(), wales1()} }

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
