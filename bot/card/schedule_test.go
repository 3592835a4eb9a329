package card

import "testing"

func TestScheduleInWords(t *testing.T) {
	f := setUp(t)
	for _, c := range []struct{ cron, english, welsh string }{
		{"0 10 * * 2", "every Tuesday at 10am", "bob dydd Mawrth am 10yb"},
		{"30 9 * * 1-5", "every weekday at 9.30am", "bob dydd o ddydd Llun i ddydd Gwener am 9.30yb"},
		{"0 12 * * *", "every day at midday", "bob dydd am hanner dydd"},
		{"0 17 * * 0", "every Sunday at 5pm", "bob dydd Sul am 5yp"},
		{"0 10 1 * *", "on this schedule: 0 10 1 * *", "yn ôl yr amserlen hon: 0 10 1 * *"},
		{"0 10 * * 1,3", "on this schedule: 0 10 * * 1,3", "yn ôl yr amserlen hon: 0 10 * * 1,3"},
	} {
		if got := schedule(f.words.In("en"), c.cron); got != c.english {
			t.Errorf("%s is %q, want %q", c.cron, got, c.english)
		}
		if got := schedule(f.words.In("cy"), c.cron); got != c.welsh {
			t.Errorf("%s is %q, want %q", c.cron, got, c.welsh)
		}
	}
}
