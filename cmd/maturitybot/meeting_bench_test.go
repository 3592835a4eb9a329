package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/bot/card"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

const (
	benchWorkshops = 100 // workshops at once
	benchAttendees = 18  // people in each
	// votesPerSecond is how fast they vote: everybody within three seconds.
	votesPerSecond = benchWorkshops * benchAttendees / 3
)

// BenchmarkWorkshops lets 18 people in each of 100 workshops vote within three seconds, again and
// again, by Slack's HTTP on a real Redis. It reports the 99th percentile of the time until a vote is
// acknowledged:
//
//	go test ./cmd/maturitybot -run '^$' -bench Workshops -benchtime 1x
func BenchmarkWorkshops(b *testing.B) {
	server := redistest.Start(b, redistest.Options{AOF: true, Args: []string{"--appendfsync", "everysec"}})
	store, err := redis.Open(b.Context(), server.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() }) // the benchmark is over
	startWorkshops(b, store)
	api, _ := slackStub(b)
	program := buildProgram(b)
	environment := append(onStub(api), "REDIS_URL="+server.URL())
	bot, _ := startBot(b, program, environment, func(address string) *pressing {
		return newPressing(votePress(address, api.URL+"/respond/1"))
	})
	lasts := 9 * time.Second
	if testing.Short() {
		lasts = 300 * time.Millisecond
	}
	bot.steady(b, votesPerSecond, lasts/9) // the program has just started, and connects
	for b.Loop() {
		p99 := bot.steady(b, votesPerSecond, lasts)
		b.ReportMetric(milliseconds(p99), "ms-p99")
	}
	shown := 0
	rounds := survey.NewRounds(store, editions(), time.Now)
	for i := range benchWorkshops {
		progress, err := rounds.System().WorkshopProgress(b.Context(), workshopRound(i))
		if err != nil {
			b.Fatal(err)
		}
		shown += progress.Voted
	}
	if most := int(bot.serial.Load()); shown != min(most, benchWorkshops*benchAttendees) {
		b.Errorf("%d votes are kept of %d presses", shown, most)
	}
}

// workshopRound returns the id of the i-th workshop's round.
func workshopRound(i int) survey.RoundID {
	return survey.RoundID(fmt.Sprintf("bench%c%c%c23", 'a'+i/26/26, 'a'+i/26%26, 'a'+i%26))
}

// workshopPerson returns the user id of the k-th person in the i-th workshop.
func workshopPerson(i, k int) string { return fmt.Sprintf("U%04d%02d", i, k) }

// startWorkshops makes rounds without a survey, each with a workshop whose first ballot is open.
func startWorkshops(b *testing.B, store *redis.Store) {
	b.Helper()
	all := editions()
	rounds := survey.NewRounds(store, all, time.Now)
	const lead = survey.PersonID("slack:" + benchTeam + ":ULEAD")
	for i := range benchWorkshops {
		r, err := rounds.AsCreator(lead).Create(b.Context(), survey.Round{
			ID: workshopRound(i), Area: "Northshire " + strconv.Itoa(i), Matrix: all[0].ID,
			Languages: []matrix.Lang{matrix.English}, TimeZone: survey.DefaultTimeZone,
			ClosesAt: time.Now().Add(200 * time.Hour), Channel: "slack:" + benchTeam + ":C1",
			Coordinators: []survey.PersonID{lead}, MinGroup: 5,
			Consensus: results.Consensus{Percent: 70},
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, _, _, err := rounds.As(lead).StartWorkshop(b.Context(), r.ID); err != nil {
			b.Fatal(err)
		}
		if _, _, err := rounds.As(lead).BeginBallot(b.Context(), r.ID, all[0].Elements()[0].ID); err != nil {
			b.Fatal(err)
		}
		for k := range benchAttendees {
			who := survey.PersonID("slack:" + benchTeam + ":" + workshopPerson(i, k))
			as := workshop.Attendee{Role: all[0].Roles()[0].ID, Language: matrix.English}
			if err := rounds.Attending(who).Attend(b.Context(), r.ID, as); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// votePress makes signed presses on the shared cards: the n-th is of another person than the one
// before, in another workshop.
func votePress(address, respond string) func(n int64) (*http.Request, error) {
	began := time.Now()
	return func(n int64) (*http.Request, error) {
		i, k := int(n)%benchWorkshops, int(n)/benchWorkshops%benchAttendees
		who, level := workshopPerson(i, k), card.RatingArg(matrix.Rating(1+n%4))
		action := fmt.Sprintf("vote:%s:1:%s", workshopRound(i), level)
		message := fmt.Sprintf("17000000%02d.000100", i)
		payload := fmt.Sprintf(`{"type":"block_actions","user":{"id":%q,"username":"u","name":"u","team_id":%q},"api_app_id":"A1","token":"v",`+
			`"container":{"type":"message","message_ts":%q,"channel_id":"C1","is_ephemeral":false},"trigger_id":"%d.%d.a",`+
			`"team":{"id":%q,"domain":"bench"},"enterprise":null,"is_enterprise_install":false,"channel":{"id":"C1","name":"general"},`+
			`"message":{"user":"UBOT","type":"message","ts":%q,"bot_id":"B1","app_id":"A1","text":"text","team":%q,"blocks":[%s]},`+
			`"state":{"values":{}},"response_url":%q,"actions":[{"action_id":%q,"block_id":"b","text":{"type":"plain_text","text":"Early","emoji":false},"value":"x","type":"button","action_ts":"%.6f"}]}`,
			who, benchTeam, message, n, began.UnixNano(), benchTeam, message, benchTeam, pressedBlocks, respond,
			action, float64(began.UnixMicro()+n)/1e6)
		return signedPress(address, "payload="+url.QueryEscape(payload))
	}
}
