//go:build !race

package spreadsheet

const (
	nestedBytes      = 15 << 20
	unpackedTooLarge = 64 << 20
)
