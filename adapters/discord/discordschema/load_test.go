package discordschema

import (
	"errors"
	"testing"
)

func TestLoadMissingDocument(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("MATURITYBOT_REQUIRE_SPECS", "")
	if _, err := load(); !errors.Is(err, ErrMissing) {
		t.Errorf("without a document: %v", err)
	}
	t.Setenv("MATURITYBOT_REQUIRE_SPECS", "1")
	if _, err := load(); err == nil || errors.Is(err, ErrMissing) {
		t.Errorf("without a document that is required: %v", err)
	}
}
