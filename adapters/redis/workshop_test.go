package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// meetingOf starts the workshop of a round and opens a ballot on "vision".
func meetingOf(t testing.TB, s *Store, id survey.RoundID) workshop.Assessment {
	t.Helper()
	a := workshop.Assessment{
		Round: string(id), Stage: workshop.Meeting, Area: "Ashford", Matrix: "england", Levels: 4, MinGroup: 5,
		Agenda:    []string{"vision", "needs", "assets"},
		StartedAt: time.Now().UTC().Truncate(time.Second), ExpiresAt: time.Now().UTC().Truncate(time.Second).AddDate(6, 0, 0),
	}
	must(t, a.Begin("vision"), s.SaveAssessment(t.Context(), a, audit.Entry{}))
	return assessmentOf(t, s, id)
}

// assessmentOf returns what is kept of a workshop.
func assessmentOf(t testing.TB, s *Store, id survey.RoundID) workshop.Assessment {
	t.Helper()
	a, err := s.Assessment(t.Context(), id)
	must(t, err)
	return a
}

// takesPartInWorkshop gives a person's role, vote and objection.
func takesPartInWorkshop(t testing.TB, s *Store, a workshop.Assessment, person survey.PersonID) {
	t.Helper()
	ctx, id := t.Context(), survey.RoundID(a.Round)
	op := survey.Operation{ID: "press of " + string(person), At: time.Now()}
	must(t,
		s.Attend(ctx, id, person, workshop.Attendee{Role: "midwife", Language: matrix.Welsh}),
		s.Vote(ctx, id, a.Open.Number, person, op, 2),
		s.Object(ctx, id, "needs", person, true),
	)
}

// workshopSecrets returns the secrets of a workshop that goes on.
func workshopSecrets(t testing.TB, s *Store, id survey.RoundID) (votes, objections []byte) {
	t.Helper()
	b, err := s.readBallot(t.Context(), id)
	must(t, err)
	return b.secret, b.objections
}

var workshopPeople = []survey.PersonID{"slack:T1:UANA", "slack:T1:UBEN", "slack:T1:UCEM", "slack:T1:UDAI", "slack:T1:UEVE"}

// TestNothingOfPeopleIsLeft checks that after each step that destroys something no key holds the
// pseudonyms and the secrets that it destroys, and that after the end no key holds a person either.
func TestNothingOfPeopleIsLeft(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	opened(t, s, "r1")
	before := everything(t, s)
	a := meetingOf(t, s, "r1")
	var votes, objections []string
	remember := func() {
		ballot, forever := workshopSecrets(t, s, "r1")
		votes = append(votes, fmt.Sprintf("%q", ballot))
		objections = append(objections, fmt.Sprintf("%q", forever))
		for _, person := range workshopPeople {
			votes = append(votes, survey.Pseudonym(ballot, person))
			objections = append(objections, survey.Pseudonym(forever, person), string(person))
		}
	}
	part := func() {
		for _, person := range workshopPeople {
			takesPartInWorkshop(t, s, a, person)
		}
		remember()
	}
	left := func(step string, texts []string) (n int) {
		t.Helper()
		for key, holds := range everything(t, s) {
			for _, text := range texts {
				if strings.Contains(key+holds, strings.Trim(text, `"`)) {
					n++
				}
			}
		}
		return n
	}
	part()
	if left("voted", votes) == 0 || left("voted", objections) == 0 {
		t.Fatal("the test looks for the wrong texts")
	}
	must(t, a.Begin("vision"), s.SaveAssessment(ctx, a, audit.Entry{}))
	a = assessmentOf(t, s, "r1")
	if n := left("replaced", votes); n > 0 {
		t.Errorf("%d texts are left of a ballot that was replaced", n)
	}
	part()
	a, err := s.ShowBallot(ctx, a, 2, survey.Operation{ID: "show"}, audit.Entry{})
	must(t, err)
	if n := left("shown", votes); n > 0 {
		t.Errorf("%d texts are left of a ballot that was shown", n)
	}
	must(t, a.Begin("needs"), s.SaveAssessment(ctx, a, audit.Entry{}))
	a = assessmentOf(t, s, "r1")
	part()
	must(t, errorOf(s.EndWorkshop(ctx, a, time.Now(), audit.Entry{})))
	if n := left("ended", append(votes, objections...)); n > 0 {
		t.Errorf("%d texts are left after the workshop", n)
	}
	before[assessmentKey("r1")], before[assessmentsKey], before[areaKey("Ashford")] = "", "", ""
	for key := range everything(t, s) {
		if _, known := before[key]; !known {
			t.Errorf("%s is left after the workshop", key)
		}
	}
}

// TestNoCommandTakesPersonAndVote checks that no command of a workshop has both a person and their
// pseudonym, and none a pseudonym and its secret, because Redis' log of slow commands keeps the
// arguments.
func TestNoCommandTakesPersonAndVote(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	sent := &commandLog{}
	s.client.AddHook(sent)
	ctx := t.Context()
	opened(t, s, "r1")
	a := meetingOf(t, s, "r1")
	votes, objections := workshopSecrets(t, s, "r1")
	var pseudonyms []string
	for _, person := range workshopPeople {
		takesPartInWorkshop(t, s, a, person)
		must(t, errorOf(s.Attendee(ctx, "r1", person)))
		pseudonyms = append(pseudonyms, survey.Pseudonym(votes, person), survey.Pseudonym(objections, person))
	}
	must(t, errorOf(s.Forget(ctx, "r1", workshopPeople[0])))
	takesPartInWorkshop(t, s, a, workshopPeople[0])
	must(t, errorOf(s.Objections(ctx, "r1")), errorOf(s.WorkshopProgress(ctx, "r1")))
	backedUp(t, s)
	a, err := s.ShowBallot(ctx, a, 1, survey.Operation{ID: "show"}, audit.Entry{})
	must(t, err, errorOf(s.EndWorkshop(ctx, a, time.Now(), audit.Entry{})))
	seen := 0
	for _, command := range sent.all {
		for _, pseudonym := range pseudonyms {
			if !strings.Contains(command, pseudonym) {
				continue
			}
			seen++
			if strings.Contains(command, string(votes)) || strings.Contains(command, string(objections)) {
				t.Errorf("a command has a pseudonym and a secret: %.300q", command)
			}
			for _, person := range workshopPeople {
				if strings.Contains(command, string(person)) {
					t.Errorf("a command has a pseudonym and a person: %.300q", command)
				}
			}
		}
	}
	if seen < 3*len(workshopPeople) {
		t.Errorf("only %d commands with a pseudonym were seen", seen)
	}
}

// TestLostRepliesOfAWorkshop checks that each write whose reply is lost is done once and reported as
// done, also when another coordinator does something in between.
func TestLostRepliesOfAWorkshop(t *testing.T) {
	t.Parallel()
	addr := redistest.Start(t, redistest.Options{}).Addr
	direct := open(t, "redis://"+addr)
	p := redistest.ProxyTo(t, addr)
	s := open(t, "redis://"+p.Addr)
	ctx := t.Context()
	show := func(s *Store, a workshop.Assessment, op string) (workshop.Assessment, error) {
		return s.ShowBallot(ctx, a, a.LastBallot, survey.Operation{ID: op}, audit.Entry{Action: audit.Shown})
	}
	// By now each script is known to the server, so that EVALSHA does what it asks for.
	opened(t, direct, "warm")
	warm := meetingOf(t, direct, "warm")
	for _, person := range workshopPeople {
		takesPartInWorkshop(t, direct, warm, person)
	}
	warm, err := show(direct, warm, "show")
	must(t, err, errorOf(direct.EndWorkshop(ctx, warm, time.Now(), audit.Entry{})))

	r, _ := opened(t, direct, "r1")
	r.Coordinators = append(r.Coordinators, "slack:T1:UD")
	must(t, direct.SaveRound(ctx, r, audit.Entry{Action: audit.Created}))
	lose := func(what string, then func(), write func() error) {
		t.Helper()
		before := p.Losses()
		p.Drop("evalsha", then)
		if err := write(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if p.Losses() != before+1 {
			t.Errorf("%s: no reply was lost", what)
		}
	}
	a := meetingOf(t, direct, "r1")
	must(t, a.TalkAbout("needs"))
	lose("save", nil, func() error { return s.SaveAssessment(ctx, a, audit.Entry{Action: audit.Rated}) })
	a = assessmentOf(t, direct, "r1")
	for i, person := range workshopPeople[1:] {
		lose("attend", nil, func() error { return s.Attend(ctx, "r1", person, workshop.Attendee{Role: "midwife"}) })
		op := survey.Operation{ID: string(person), At: time.Now()}
		lose("vote", nil, func() error { return s.Vote(ctx, "r1", 1, person, op, matrix.Rating(1+i)) })
		lose("object", nil, func() error { return s.Object(ctx, "r1", "needs", person, true) })
	}
	last := survey.Operation{ID: "last", At: time.Now()}
	var shown workshop.Assessment
	lose("vote, and the ballot is shown in between", func() {
		shown, err = show(direct, a, "show")
		if err != nil {
			t.Error(err)
		}
	}, func() error { return s.Vote(ctx, "r1", 1, workshopPeople[0], last, 1) })
	if got := shown.BallotsOf("vision"); len(got) != 1 || fmt.Sprint(got[0].Counts) != "[2 1 1 1]" {
		t.Errorf("shown as %+v", got)
	}
	must(t, shown.Begin("needs"), direct.SaveAssessment(ctx, shown, audit.Entry{}))
	a = assessmentOf(t, direct, "r1")
	for _, person := range workshopPeople {
		takesPartInWorkshop(t, direct, a, person)
	}
	lose("show, and another coordinator does in between", func() {
		if _, err := show(direct, a, "other"); err == nil {
			t.Error("a ballot was shown twice")
		}
	}, func() error {
		shown, err = show(s, a, "show again")
		return err
	})
	var ended workshop.Assessment
	lose("end", nil, func() error {
		ended, err = s.EndWorkshop(ctx, shown, time.Now(), audit.Entry{Action: audit.Stage})
		return err
	})
	if len(ended.Ballots) != 2 || ended.Attendance["midwife"] != 5 || ended.Objections["needs"] != 5 {
		t.Errorf("ended as %+v", ended)
	}
	recorded(t, direct, "r1", audit.Created, audit.Rated, audit.Shown, audit.Shown, audit.Stage)
}

// TestAssessmentsAreBackedUp checks what a backup holds of workshops and what a restore makes of it.
func TestAssessmentsAreBackedUp(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	for _, id := range []survey.RoundID{"expired", "finished", "meeting"} {
		opened(t, s, id)
		a := meetingOf(t, s, id)
		for _, person := range workshopPeople {
			takesPartInWorkshop(t, s, a, person)
		}
		if id == "meeting" {
			continue
		}
		a, err := s.ShowBallot(ctx, a, 1, survey.Operation{ID: "show"}, audit.Entry{})
		must(t, err, errorOf(s.EndWorkshop(ctx, a, time.Now(), audit.Entry{})))
	}
	must(t, s.client.Del(ctx, roundKey("expired"), secretKey("expired")).Err())
	votes, objections := workshopSecrets(t, s, "meeting")
	backup := backedUp(t, s)
	for _, person := range workshopPeople {
		for _, text := range []string{string(person), survey.Pseudonym(votes, person), survey.Pseudonym(objections, person)} {
			for line := range strings.Lines(string(backup)) {
				for _, v := range decoded(t, []byte(line)).Values {
					if strings.Contains(string(v), text) {
						t.Errorf("a backup holds %s: %.200s", text, line)
					}
				}
			}
		}
	}

	to := embedded(t).Store
	newer := assessmentOf(t, s, "finished")
	rating := workshop.Rating{Level: 3, How: workshop.AllAgreed, Reason: "newer"}
	for _, id := range []survey.RoundID{"finished", "meeting"} {
		opened(t, to, id) // for a moment: an assessment is saved only beside its round
		a := newer
		a.Round, a.Version = string(id), 0
		must(t, to.SaveAssessment(ctx, a, audit.Entry{}))
		a.Version++
		if id == "finished" {
			must(t, a.Change("vision", rating), to.SaveAssessment(ctx, a, audit.Entry{}))
			a.Version++
			must(t, a.Change("needs", rating), to.SaveAssessment(ctx, a, audit.Entry{}))
			a.Version++
			must(t, a.Change("assets", rating), to.SaveAssessment(ctx, a, audit.Entry{}))
		}
		must(t, to.client.Del(ctx, roundKey(id), roundsKey).Err())
	}
	r := restoring(t, to, backup, RestoreOptions{WithoutErasures: true})
	if r.Assessments != 3 || r.Backup.Assessments != 3 || r.Rounds != 2 {
		t.Errorf("restored %+v", r)
	}
	if got := assessmentOf(t, to, "finished"); got.Version != 4 || got.Ratings["assets"].Reason != "newer" {
		t.Errorf("a later version was replaced by %+v", got)
	}
	if got := assessmentOf(t, to, "expired"); got.Attendance["midwife"] != 5 || len(got.Ballots) != 1 || got.Stage != workshop.Agreed {
		t.Errorf("an assessment of a round that has expired came back as %+v", got)
	}
	got := assessmentOf(t, to, "meeting")
	if got.Open != nil || got.Stage != workshop.Meeting || got.Version != 1 {
		t.Errorf("a workshop that goes on came back as %+v", got)
	}
	if in, err := to.Assessments(ctx, "ASHFORD"); err != nil || len(in) != 3 {
		t.Errorf("the area has %v, %v", in, err)
	}
	// People go on: they give their role again. The card of a ballot that was begun after the backup
	// is dead.
	must(t, got.Begin("vision"), to.SaveAssessment(ctx, got, audit.Entry{}))
	got = assessmentOf(t, to, "meeting")
	if got.Open.Number <= 1000 {
		t.Errorf("the next ballot has the number %d", got.Open.Number)
	}
	takesPartInWorkshop(t, to, got, workshopPeople[0])

	r = restoring(t, to, backup, RestoreOptions{Replace: true})
	if got := assessmentOf(t, to, "finished"); got.Version != newer.Version || r.Assessments != 3 {
		t.Errorf("a replaced assessment is %+v; %+v", got, r)
	}
	restoring(t, to, backedUp(t, embedded(t).Store), RestoreOptions{Replace: true})
	if left := everything(t, to); len(left) > 0 {
		t.Errorf("everything was replaced, and yet there is %v", left)
	}
}

// TestBackupsWithOddAssessments checks that a backup with an assessment that is not whole is refused.
func TestBackupsWithOddAssessments(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	opened(t, s, "r1")
	meetingOf(t, s, "r1")
	backup := string(backedUp(t, s))
	line := ""
	for l := range strings.Lines(backup) {
		if strings.Contains(l, `"assessment":"r1"`) {
			line = l
		}
	}
	for name, odd := range map[string]string{
		"other key": strings.Replace(line, `assessment:{r1}`, `round:{r1}`, 1),
		"odd name":  strings.Replace(line, `"assessment":"r1"`, `"assessment":"r{1"`, 1),
		"odd body":  withBody(t, line, `"area"`, `area`) + "\n",
		"no expiry": withBody(t, line, `"expiresAt"`, `"expired"`) + "\n",
		"stage":     withBody(t, line, "workshop", "workshops") + "\n",
	} {
		if _, err := CheckBackup(strings.NewReader(strings.Replace(backup, line, odd, 1))); err == nil {
			t.Errorf("%s: a backup was accepted", name)
		}
	}
}

// TestFewObjectionsAreNotKept checks that where few people were there, not even Redis has how many
// objected.
func TestFewObjectionsAreNotKept(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	opened(t, s, "r1")
	a := meetingOf(t, s, "r1")
	for _, person := range workshopPeople[1:] {
		takesPartInWorkshop(t, s, a, person)
	}
	must(t, errorOf(s.EndWorkshop(t.Context(), a, time.Now(), audit.Entry{})))
	ended := s.client.HGet(t.Context(), assessmentKey("r1"), "ended").Val()
	if !strings.Contains(ended, `"attendance":{"midwife":4},"objections":{}`) {
		t.Errorf("kept is %s", ended)
	}
}
