package redis

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

// TestSchema checks that Open raises the schema of a store, never lowers it, and refuses a newer
// one.
func TestSchema(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	for kept, want := range map[string]struct {
		after string
		newer bool
	}{
		"":                       {strconv.Itoa(Schema), false},
		strconv.Itoa(Schema):     {strconv.Itoa(Schema), false},
		strconv.Itoa(Schema + 1): {strconv.Itoa(Schema + 1), true},
	} {
		must(t, s.client.Del(ctx, schemaKey).Err())
		if kept != "" {
			must(t, s.client.Set(ctx, schemaKey, kept, 0).Err())
		}
		read, raised := s.CheckSchema(ctx), s.RaiseSchema(ctx)
		if errors.Is(read, ErrNewerSchema) != want.newer || errors.Is(raised, ErrNewerSchema) != want.newer {
			t.Errorf("%q: %v, %v", kept, read, raised)
		}
		if got := s.client.Get(ctx, schemaKey).Val(); got != want.after {
			t.Errorf("%q: then %q, want %q", kept, got, want.after)
		}
	}
	if ttl := s.client.TTL(ctx, schemaKey).Val(); ttl != -1 {
		t.Errorf("the schema lives for %v", ttl)
	}
}

// TestBackupOfANewerSchema checks that such a backup is refused, because this program does not
// know all of it.
func TestBackupOfANewerSchema(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	opened(t, s, "r1", "p1")
	backup := string(backedUp(t, s))
	own := `"schema":` + strconv.Itoa(Schema)
	if !strings.Contains(backup, own) {
		t.Fatalf("the backup does not name its schema: %.80s", backup)
	}
	newer := strings.Replace(backup, own, `"schema":`+strconv.Itoa(Schema+1), 1)
	if _, err := CheckBackup(strings.NewReader(newer)); err == nil || !strings.Contains(err.Error(), "use the maturitybot that wrote it") {
		t.Error(err)
	}
	if _, err := CheckBackup(strings.NewReader(strings.Replace(backup, ","+own, "", 1))); err != nil {
		t.Errorf("one from before there was a schema: %v", err)
	}
}
