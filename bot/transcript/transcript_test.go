package transcript_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"testing"
	"time"

	"maturitybot/adapters/platform/platformlaw"
	"maturitybot/bot/transcript"
)

var update = flag.Bool("update", false, "write the transcripts anew")

func TestSharedCard(t *testing.T) {
	const path = "testdata/shared-card.chat"
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	played, err := transcript.Play(t.Context(), bytes.NewReader(written), transcript.Stage{
		Responder: platformlaw.NewCounter(),
		Clock:     transcript.NewClock(time.Date(2026, time.December, 4, 10, 0, 0, 0, time.UTC)),
		People:    transcript.NewPeople(),
		Deliver:   func(context.Context) {},
	})
	if err != nil {
		t.Fatalf("%v, after\n%s", err, played)
	}
	if *update {
		if err := os.WriteFile(path, []byte(played), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if played != string(written) {
		t.Errorf("it is played as\n%s", played)
	}
}
