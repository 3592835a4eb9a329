package chat

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretPrintsAsMask(t *testing.T) {
	secret := Secret("very-secret")
	printed := []string{secret.String(), secret.LogValue().String()}
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%d", "%T%[1]v"} {
		printed = append(printed, fmt.Sprintf(verb, secret))
	}
	raw, err := json.Marshal(struct{ Token Secret }{secret})
	if err != nil {
		t.Fatal(err)
	}
	var line strings.Builder
	slog.New(slog.NewJSONHandler(&line, nil)).Info("x", "token", secret)
	for _, s := range append(printed, string(raw), line.String()) {
		if strings.Contains(s, "very") || strings.Contains(s, fmt.Sprintf("%x", "very")) {
			t.Errorf("it prints %s", s)
		}
		if !strings.Contains(s, Mask) {
			t.Errorf("%s has no mask", s)
		}
	}
}
