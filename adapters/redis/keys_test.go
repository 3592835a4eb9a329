package redis

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

// TestKeysArePinned fails when a key or an encoding changes, because the data in existing stores
// would be lost. Where an older program would misread what is new here, or lose it when it writes,
// Schema is raised as well.
func TestKeysArePinned(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 17, 0, 0, 5, time.FixedZone("", 3600))
	round, err := encodeRound(survey.Round{
		ID: "r1", Version: 7, State: survey.Open, Area: "Ashford", Matrix: "england", Languages: []matrix.Lang{"en", "cy"},
		TimeZone: "Europe/London", ClosesAt: at, Workshop: survey.Workshop{At: at, Place: "Town Hall"}, Channel: "C1",
		Coordinators: []survey.PersonID{"slack:T1:U1"}, MinGroup: 5, Consensus: results.Consensus{Percent: 70},
		OpenedAt: at, ClosedAt: at, RemindedAt: at, Nudged: 12,
		Reminders: survey.DefaultReminders(), Posts: survey.ChannelPlan{Digest: "0 9 * * 1", Disabled: []survey.MessageKind{survey.LastDay}},
		PlannedAt: at, LastDigest: &survey.DigestProgress{At: at, Invited: 3, Finished: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	member, err := encodeMember(survey.Member{
		Person: "slack:T1:U1", Status: survey.Started, Language: "cy", Role: "midwife", Group: "health", Notice: "1", NoticeAt: at, Unreachable: true,
		TimeZone: "Asia/Tokyo", RemindersOff: true, RemindOnDate: "2026-12-04", LastRemindedDate: "2026-12-03", LastNudgedDate: "2026-12-02",
	}, "WORD")
	if err != nil {
		t.Fatal(err)
	}
	invited, err := encodeMember(survey.Member{Person: "slack:T1:U1", Status: survey.Invited}, "")
	if err != nil {
		t.Fatal(err)
	}
	assessment, err := encodeAssessment(workshop.Assessment{
		Round: "r1", Version: 7, Stage: workshop.Meeting, Area: "Ashford", Matrix: "england", MatrixVersion: 2, Levels: 4, MinGroup: 5,
		Consensus: results.Consensus{Percent: 70}, Surveyed: 12, Survey: map[string][]int{"vision": {1, 2}}, Agenda: []string{"vision"},
		Postponed: []string{"vision"}, Discuss: []string{"vision"}, Open: &workshop.OpenBallot{Number: 2, Element: "vision"},
		Ballots:   []workshop.Ballot{{Number: 1, Element: "vision", Counts: []int{3, 2}, DontKnow: 1, Hands: []int{1}, Doubled: true}},
		Confirmed: 11, LastBallot: 2, Ratings: map[string]workshop.Rating{"vision": {Level: 2, How: workshop.AllAgreed, Reason: "r", Others: "o", At: at}},
		Replaced: map[string][]workshop.Rating{}, Previous: map[string]workshop.Rating{}, PreviousAt: at, ExpiresAt: at, StartedAt: at,
		PausedAt: at, FinishedAt: at, Attendance: map[string]int{"midwife": 2}, Objections: map[string]int{"vision": 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	entry, err := encodeEntry(audit.Entry{
		Seq: 3, At: at, By: "slack:T1:U1", Action: audit.Extended, Changes: []audit.Change{{Field: "closes", Old: "a", New: "b"}}, Hash: "0f",
	})
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		roundKey("r1"):                              "round:{r1}",
		secretKey("r1"):                             "secret:{r1}",
		rosterKey("r1"):                             "roster:{r1}",
		responsesKey("r1"):                          "responses:{r1}",
		responseKey("r1", "abc-_1"):                 "response:{r1}:abc-_1",
		strings.Join(operationTimesKeys("r1"), " "): "operation_times:{r1} operation_times:{r1}:earlier",
		queueKey("r1"):                              "owed:{r1}",
		plannedKey("r1"):                            "planned:{r1}",
		zonesKey("r1"):                              "zones:{r1}",
		erasedKey("r1"):                             "erased:{r1}",
		markOf("SALT", "slack:T1:U1"):               "d286651d05c3c357b29c830147e810ab81827436",
		auditKey("r1"):                              "audit:{r1}",
		roundsKey:                                   "rounds",
		dueKey:                                      "due",
		plansKey:                                    "plans",
		assessmentKey("r1"):                         "assessment:{r1}",
		strings.Join(workshopKeys("r1"), " "):       "ballot:{r1} votes:{r1} attendance:{r1} objections:{r1}",
		assessmentsKey:                              "assessments",
		areaKey(" Ynys  MÔN {a}*"):                  "area:{ynys+m%C3%B4n+%7Ba%7D%2A}",
		eventKey("12.34"):                           "event:{12.34}",
		queueMember(survey.Delivery{Person: "slack:T1:U1", Kind: survey.Nudge}): "nudge slack:T1:U1",
		queueMember(survey.Delivery{Kind: "digest@2026-12-04"}):                 "digest@2026-12-04 ",
		personKey("slack:T1:U1"):       "person:{slack:T1:U1}",
		channelKey("slack:T1:C1"):      "channel:{slack:T1:C1}",
		strings.Join(roundFields, " "): "version state closed body turnout sealed",
		round: `{"area":"Ashford","matrix":"england","languages":["en","cy"],"timeZone":"Europe/London",` +
			`"closesAt":"2026-03-04T16:00:00.000000005Z","workshop":{"At":"2026-03-04T16:00:00.000000005Z","Place":"Town Hall"},` +
			`"channel":"C1","coordinators":["slack:T1:U1"],"minGroup":5,"consensus":{"Percent":70,"AllowFarMinority":false},` +
			`"openedAt":"2026-03-04T16:00:00.000000005Z","remindedAt":"2026-03-04T16:00:00.000000005Z","nudged":12,` +
			`"reminders":{"before_close":[7,3,1],"before_workshop":[7,1],"hour":10,"minute":0},"posts":{"digest":"0 9 * * 1","off":["last"]},` +
			`"plannedAt":"2026-03-04T16:00:00.000000005Z","lastDigest":{"At":"2026-03-04T16:00:00.000000005Z","Invited":3,"Finished":1}}`,
		member: `{"s":"s","l":"cy","r":"midwife","g":"health","n":"1","u":true,"z":"Asia/Tokyo","q":true,` +
			`"a":"2026-12-04","d":"2026-12-03","h":"2026-12-02","t":1772640000,"i":"WORD"}`,
		invited:                             `{"s":"i"}`,
		strings.Join(assessmentFields, " "): "version stage body shown ended",
		assessment: `{"area":"Ashford","matrix":"england","matrixVersion":2,"levels":4,"minGroup":5,` +
			`"consensus":{"Percent":70,"AllowFarMinority":false},"surveyed":12,"survey":{"vision":[1,2]},"agenda":["vision"],` +
			`"postponed":["vision"],"discuss":["vision"],"open":{"Number":2,"Element":"vision"},` +
			`"ballots":[{"Number":1,"Element":"vision","Counts":[3,2],"DontKnow":1,"Hands":[1],"Doubled":true}],"confirmed":11,"lastBallot":2,` +
			`"ratings":{"vision":{"Level":2,"How":"all","Reason":"r","Others":"o","At":"2026-03-04T17:00:00.000000005+01:00"}},` +
			`"replaced":{},"previous":{},"previousAt":"2026-03-04T16:00:00.000000005Z","expiresAt":"2026-03-04T16:00:00.000000005Z",` +
			`"startedAt":"2026-03-04T16:00:00.000000005Z","pausedAt":"2026-03-04T16:00:00.000000005Z",` +
			`"finishedAt":"2026-03-04T16:00:00.000000005Z","attendance":{"midwife":2},"objections":{"vision":1}}`,
		entry: `{"t":1772640000,"p":"slack:T1:U1","a":"extended","c":[["closes","a","b"]],"h":"0f"}`,
	} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestStatusCodec checks that the first letters of statuses are distinct.
func TestStatusCodec(t *testing.T) {
	t.Parallel()
	for _, status := range append(statuses, survey.NotInvited) {
		if got := fromLetter(firstLetter(status)); got != status {
			t.Errorf("%q comes back as %q", status, got)
		}
	}
}

func TestResponseFields(t *testing.T) {
	t.Parallel()
	got, err := decodeResponse(map[string]string{
		".g": "health", ".o": "0123456789abcdef", "vision": "-2", ".i:needs": `["audit"]`, ".n:needs": "note", ".b:needs": "barrier",
	}, map[string]results.Answer{})
	want := results.Response{Group: "health", Version: "0123456789abcdef", Answers: map[string]results.Answer{
		"vision": {Rating: matrix.NotApplicable},
		"needs":  {Detail: results.Detail{Information: []string{"audit"}, Note: "note", Barrier: "barrier"}},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	for _, odd := range []map[string]string{{"vision": "private words"}, {".i:vision": "private words"}} {
		if _, err := decodeResponse(odd, map[string]results.Answer{}); err == nil || strings.Contains(err.Error(), "private") {
			t.Errorf("%v: got error %v", odd, err)
		}
	}
}

// TestEntryOfEarlierVersion: what earlier versions asked for as well is not read, and the next
// change of the entry erases it.
func TestEntryOfEarlierVersion(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	opened(t, s.Store, "r1")
	part := takesPart(t, s.Store, "r1", "ana")
	ctx := t.Context()
	const old = `{"s":"s","l":"cy","r":"midwife","g":"health","o":"NHS Kent","c":"t"}`
	must(t, s.client.HSet(ctx, rosterKey("r1"), "ana", old).Err())
	part, err := s.Participation(ctx, "r1", "ana")
	must(t, err)
	want := survey.Member{
		Person: "ana", Status: survey.Started, Language: "cy", Role: "midwife", Group: "health",
	}
	if part.Member != want {
		t.Errorf("it is read as %+v, want %+v", part.Member, want)
	}
	_, err = s.ChangeMember(ctx, part, time.Now(), func(m *survey.Member) error {
		m.Language = "en"
		return nil
	})
	must(t, err)
	raw, err := s.client.HGet(ctx, rosterKey("r1"), "ana").Result()
	must(t, err)
	if want := `{"s":"s","l":"en","r":"midwife","g":"health"}`; raw != want {
		t.Errorf("it is stored as %s, want %s", raw, want)
	}
}
