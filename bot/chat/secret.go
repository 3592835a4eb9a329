package chat

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a token or a key of a platform. It prints as dots, whatever the verb.
type Secret string

// Mask stands for a secret wherever one would be printed.
const Mask = "•••"

// String returns the mask.
func (Secret) String() string { return Mask }

// Format writes the mask for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// LogValue returns the mask.
func (Secret) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalText returns the mask.
func (Secret) MarshalText() ([]byte, error) { return []byte(Mask), nil }
