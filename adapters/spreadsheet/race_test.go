//go:build race

package spreadsheet

// Under the race detector the library takes half a minute for each bomb of the full size.
const (
	nestedBytes      = 2 << 20
	unpackedTooLarge = MaxUnpackedBytes + 1<<20
)
