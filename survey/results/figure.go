package results

import (
	"encoding/json"
	"strconv"
)

// Availability reports whether a figure is shown, and if not, why.
type Availability uint8

// The values of Availability. The zero value is Suppressed, so that a figure that was never set is
// not taken for a number.
const (
	Suppressed    Availability = iota // hidden, so that no person's answer can be inferred
	NotAvailable                      // there is nothing to compute it from
	NotApplicable                     // it has no meaning here
	Present
)

// String returns the symbol that UK public bodies print in place of a figure. It is empty for
// Present.
func (a Availability) String() string {
	switch a {
	case Suppressed:
		return "[c]"
	case NotAvailable:
		return "[x]"
	case NotApplicable:
		return "[z]"
	}
	return ""
}

// Figure is a number that may be missing for a stated reason. A missing figure holds no number.
type Figure struct {
	value        float64
	decimals     int8
	availability Availability
}

const (
	shareDecimals = 6  // decimals printed of an unrounded share
	shortest      = -1 // as many decimals as the number needs
)

var unavailable = Figure{availability: NotAvailable}

func whole(n int64) Figure { return Figure{value: float64(n), availability: Present} }

func share(part, total int64) Figure { return decimal(float64(part)/float64(total), shareDecimals) }

func decimal(value float64, decimals int8) Figure {
	return Figure{value: value, decimals: decimals, availability: Present}
}

// Availability reports whether the figure is shown, and if not, why.
func (f Figure) Availability() Availability { return f.availability }

// Float returns the number and whether it is shown.
func (f Figure) Float() (float64, bool) { return f.value, f.availability == Present }

// Int returns the number without its decimals and whether it is shown.
func (f Figure) Int() (int, bool) { return int(f.value), f.availability == Present }

// String returns the number as text, with six decimals for a share, or the symbol of its
// Availability.
func (f Figure) String() string {
	if f.availability != Present {
		return f.availability.String()
	}
	return strconv.FormatFloat(f.value, 'f', int(f.decimals), 64)
}

// MarshalJSON writes a number, or the symbol as a string.
func (f Figure) MarshalJSON() ([]byte, error) {
	if f.availability != Present {
		return json.Marshal(f.availability.String())
	}
	return []byte(f.String()), nil
}

// Flag is a boolean that may be missing for a stated reason.
type Flag struct {
	value        bool
	availability Availability
}

// Availability reports whether the flag is shown, and if not, why.
func (f Flag) Availability() Availability { return f.availability }

// Bool returns the flag and whether it is shown.
func (f Flag) Bool() (bool, bool) { return f.value, f.availability == Present }

// String returns "true", "false" or the symbol of the flag's Availability.
func (f Flag) String() string {
	if f.availability != Present {
		return f.availability.String()
	}
	return strconv.FormatBool(f.value)
}

// MarshalJSON writes true or false, or the symbol as a string.
func (f Flag) MarshalJSON() ([]byte, error) {
	if f.availability != Present {
		return json.Marshal(f.availability.String())
	}
	return json.Marshal(f.value)
}
