package card

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// AuditHead returns a footnote with the number of entries and the fingerprint of the last, or
// nothing for an empty record.
func AuditHead(v locale.Voice, record survey.AuditLog) []chat.Block {
	head := record.Head()
	if head.Hash == "" {
		return nil
	}
	return []chat.Block{chat.Footnote(v.Count("record.head", head.Seq, "seal", head.Fingerprint()))}
}

// auditEntry draws an entry: what was done, its number, by whom, when, and the fingerprint.
func auditEntry(
	v locale.Voice, r survey.Round, e audit.Entry, editions matrix.List,
) []chat.Block {
	what := append([]chat.Span{chat.Bold(actionTitle(v, e))}, changeSpans(v, r, e, editions)...)
	foot := []chat.Span{chat.Words(fmt.Sprintf("%d · ", e.Seq))}
	switch {
	case e.By == "":
		foot = append(foot, chat.Words(v.Say("record.bot")))
	case e.By == audit.Operator:
		foot = append(foot, chat.Words(v.Say("record.operator")))
	case len(e.By) > chat.MaxAction:
		foot = append(foot, chat.Words(v.Say("record.unreadable")))
	default:
		foot = append(foot, Mention(survey.PersonID(e.By)))
	}
	foot = append(foot, chat.Words(" · "+v.Time(e.At.In(r.Location()))+" · "+e.Fingerprint()))
	return []chat.Block{chat.Text{Spans: what}, chat.Note{Spans: foot}}
}

// actionTitles are the sentences for what was done.
var actionTitles = map[audit.Action]string{
	audit.Created:          "record.act_created",
	audit.Redrafted:        "record.act_redrafted",
	audit.Opened:           "record.act_opened",
	audit.Extended:         "record.act_extended",
	audit.Invited:          "record.act_invited",
	audit.SelfJoinAllowed:  "record.act_door",
	audit.Reminded:         "record.act_reminded",
	audit.Plan:             "record.act_plan",
	audit.Workshop:         "record.act_workshop",
	audit.Team:             "record.act_team",
	audit.SelfAdded:        "record.act_self_added",
	audit.Closed:           "record.act_closed",
	audit.Results:          "record.act_results",
	audit.Exported:         "record.act_exported",
	audit.Nudged:           "record.act_nudged",
	audit.Forgotten:        "record.act_forgotten",
	audit.Restored:         "record.act_restored",
	audit.Refused:          "record.act_refused",
	audit.Full:             "record.act_full",
	audit.Stage:            "record.act_meeting",
	audit.Shown:            "record.act_shown",
	audit.Rated:            "record.act_rated",
	audit.LinksMade:        "record.act_links_made",
	audit.LinkRevoked:      "record.act_link_revoked",
	audit.LinkReissued:     "record.act_link_reissued",
	audit.LinksListed:      "record.act_links_listed",
	audit.OpenLinkMade:     "record.act_open_link_made",
	audit.OpenLinkReplaced: "record.act_open_link_replaced",
	audit.OpenLinkClosed:   "record.act_open_link_closed",
	audit.PosterMade:       "record.act_poster_made",
}

// quotaNames name the actions that have a quota.
var quotaNames = map[audit.Action]string{
	audit.Results:     "record.kind_results",
	audit.Exported:    "record.kind_exported",
	audit.LinksListed: "record.kind_links_listed",
	audit.PosterMade:  "record.kind_poster_made",
	audit.Nudged:      "record.kind_nudged",
	audit.Forgotten:   "record.kind_forgotten",
	audit.Refused:     "record.kind_refused",
}

// actionTitle returns what was done, in words. An entry that was tampered with may hold anything,
// and must not break the card.
func actionTitle(v locale.Voice, e audit.Entry) string {
	key, known := actionTitles[e.Action]
	unreadable := v.Say("record.unreadable")
	switch {
	case !known:
		return unreadable
	case e.Action == audit.Invited, e.Action == audit.Reminded, e.Action == audit.Nudged:
		n, err := strconv.Atoi(ChangeOf(e, audit.FieldPeople))
		if err != nil {
			return unreadable
		}
		return v.Count(key, n)
	case e.Action == audit.Stage && ChangeOf(e, audit.FieldStage) == string(workshop.Agreed):
		return v.Say("record.act_finished")
	case e.Action == audit.LinksMade, e.Action == audit.LinksListed:
		return v.Say(key, "n", ChangeOf(e, audit.FieldPeople))
	case e.Action == audit.LinkRevoked, e.Action == audit.LinkReissued:
		return v.Say(key, "n", ChangeOf(e, audit.FieldLink))
	case e.Action == audit.Shown:
		return v.Say(key, "n", ChangeOf(e, audit.FieldBallot))
	case e.Action == audit.Refused:
		return v.Say(key, "deed", refusedLabel(v, ChangeOf(e, audit.FieldVerb)))
	case e.Action == audit.Full:
		kind, limit := unreadable, audit.Quota
		if name, ok := quotaNames[audit.Action(ChangeOf(e, audit.FieldAct))]; ok {
			kind = v.Say(name)
		}
		if e.By != "" {
			key, limit = "record.act_full_person", audit.RefusedQuota
		}
		return v.Say(key, "limit", limit, "kind", kind)
	}
	return v.Say(key)
}

// refusedLabel returns the label of the button that a person was refused.
func refusedLabel(v locale.Voice, verb string) string {
	if verb == "button" { // the command has no button of its own
		return v.Say("record.join_button")
	}
	if label, ok := v.Lookup("button." + verb); ok {
		return label
	}
	return v.Say("record.unreadable")
}

// ChangeOf returns the new value of a field in an entry, or "".
func ChangeOf(e audit.Entry, field string) string {
	for _, c := range e.Changes {
		if c.Field == field {
			return c.New
		}
	}
	return ""
}

// changeSpans returns what an action changed, as far as there is room. The exported files hold all
// of it.
func changeSpans(
	v locale.Voice, r survey.Round, e audit.Entry, editions matrix.List,
) []chat.Span {
	var spans []chat.Span
	room, left := maxChanges, 0
	for _, c := range e.Changes {
		if c.Field == "closed" && c.New == e.At.Format(time.RFC3339) ||
			c.Field == "coordinators" && e.Action == audit.Created {
			continue // the line beneath says it
		}
		said, length := changeText(v, r, c, editions)
		switch {
		case said == nil:
		case length > room || left > 0:
			left++
		default:
			room -= length
			if len(spans) > 0 {
				spans = append(spans, chat.Words(";"))
			}
			spans = append(append(spans, chat.Words(" ")), said...)
		}
	}
	if left > 0 {
		spans = append(spans, chat.Words(" … "+v.Count("record.more", left)))
	}
	return spans
}

// fieldNames name the fields of a change.
var fieldNames = map[string]string{
	"area":             "record.field_area",
	"closed":           "record.field_closed",
	"closes":           "record.field_closes",
	"workshop":         "record.field_workshop",
	"place":            "record.field_place",
	"matrix":           "record.field_matrix",
	"languages":        "record.field_languages",
	"min_group":        "record.field_min_group",
	"agreed":           "record.field_agreed",
	"far":              "record.field_far",
	"time_zone":        "record.field_time_zone",
	"paused":           "record.field_paused",
	"before_close":     "record.field_before_close",
	"before_workshop":  "record.field_before_workshop",
	"hour":             "record.field_hour",
	"spec":             "record.field_spec",
	"digest":           "record.field_digest",
	"posts_off":        "record.field_posts_off",
	audit.FieldBackup:  "record.field_backup",
	audit.FieldMaximum: "record.field_maximum",
}

// changeText returns one change in words, and its length in characters. It is empty for what the
// action's title says, and for fields that mean nothing to a reader.
func changeText(
	v locale.Voice, r survey.Round, c audit.Change, editions matrix.List,
) (said []chat.Span, length int) {
	switch c.Field {
	case audit.FieldPeople, audit.FieldVerb, audit.FieldAct, audit.FieldStage, audit.FieldBallot,
		audit.FieldLink, "join", "channel":
		return nil, 0
	case audit.FieldShown:
		if c.New == ShownAlone {
			said := v.Say("record.shown_alone")
			return []chat.Span{chat.Words(said)}, utf8.RuneCountInString(said)
		}
		in, err := chat.ParsePlace(c.New)
		if err != nil {
			return nil, 0
		}
		return []chat.Span{
				chat.Words(v.Say("record.shown_in") + " "),
				chat.Link{Place: in},
			}, len(
				c.New,
			)
	case "coordinators":
		return addedCoordinators(v, strings.Split(c.New, ", "))
	}
	label := v.Say("record.unreadable")
	if key, ok := fieldNames[c.Field]; ok {
		label = v.Say(key)
	} else if element, ok := ratedElement(r, c.Field, editions); ok {
		label = element.Name.In(matrix.Lang(v.Lang))
	}
	is := fieldValue(v, r, c.Field, c.New, editions)
	was := fieldValue(v, r, c.Field, c.Old, editions)
	words := label + ": " + is
	switch {
	case is == "":
		words = v.Say("record.none", "field", label, "old", was)
	case was != "":
		words = v.Say("record.change", "field", label, "new", is, "old", was)
	}
	return []chat.Span{chat.Words(words)}, utf8.RuneCountInString(words)
}

// ratedElement returns the element of a field that holds a rating.
func ratedElement(r survey.Round, field string, all matrix.List) (matrix.Element, bool) {
	id, is := strings.CutPrefix(field, audit.RatingPrefix)
	m, known := all.Find(r.Matrix, max(r.MatrixVersion, 1))
	if !is || !known {
		return matrix.Element{}, false
	}
	e, _, ok := m.Element(id)
	return e, ok
}

// ratingValue returns a rating and its reason in words, as the log holds them.
func ratingValue(v locale.Voice, r survey.Round, text string, all matrix.List) string {
	rating, reason, _ := strings.Cut(text, ": ")
	number, _, _ := strings.Cut(rating, " ")
	m, known := all.Find(r.Matrix, max(r.MatrixVersion, 1))
	level, err := strconv.Atoi(number)
	switch {
	case text == "":
		return ""
	case !known || err != nil || level < 0 || level > len(m.Levels):
		return v.Say("record.unreadable")
	}
	name := v.Say("meet.not_rated")
	if level > 0 {
		name = m.Levels[level-1].Name.In(matrix.Lang(v.Lang))
	}
	if reason == "" {
		return name
	}
	return name + ", " + chat.Trim(reason, maxReason)
}

// maxReason is how many characters of a reason the record shows. The exported file holds all of it.
const maxReason = 120

// addedCoordinators names the coordinators that were added.
func addedCoordinators(v locale.Voice, people []string) (said []chat.Span, length int) {
	const most = 5
	said = append(said, chat.Words(v.Say("record.field_coordinators")+": "))
	for i, p := range people[:min(len(people), most)] {
		if i > 0 {
			said = append(said, chat.Words(", "))
		}
		said = append(said, Mention(survey.PersonID(p)))
		length += len(p)
	}
	if more := len(people) - most; more > 0 {
		said = append(said, chat.Words(" "+v.Count("status.more", more)))
	}
	return said, length
}

// fieldValue returns the value of a field in words.
func fieldValue(
	v locale.Voice, r survey.Round, field, value string, editions matrix.List,
) string {
	const most = 60
	parts := func(each func(string) string) string {
		words := strings.Split(value, ", ")
		for i, w := range words {
			words[i] = each(w)
		}
		return strings.Join(words, ", ")
	}
	if _, ok := ratedElement(r, field, editions); ok {
		return ratingValue(v, r, value, editions)
	}
	switch {
	case field == "paused" && value == "":
		return v.Say("record.running")
	case field == "paused":
		return v.Say("record.paused")
	case field == "far" && value == "":
		return v.Say("new.far_no")
	case field == "far":
		return v.Say("new.far_yes")
	case value == "":
		return ""
	}
	switch field {
	case "closes", "closed", "workshop", audit.FieldBackup:
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return v.Time(at.In(r.Location()))
		}
	case "hour":
		if at, err := time.Parse(clock, value); err == nil {
			return v.Clock(at)
		}
	case "matrix":
		if m, known := editions.ForNewRounds(value); known {
			return m.Nation.In(matrix.Lang(v.Lang))
		}
	case "languages":
		value = parts(func(l string) string { return LanguageName(v, matrix.Lang(l)) })
	case "posts_off":
		return parts(func(kind string) string {
			return cmp.Or(PostName(v, survey.MessageKind(kind)), v.Say("record.unreadable"))
		})
	}
	return chat.Trim(value, most)
}

// ShownAlone is the value of audit.FieldShown for results that a coordinator was shown alone.
const ShownAlone = "alone"

// auditPageSize is the number of entries on a page of a record, and maxChanges the number of
// characters for the changes of one entry. A page of the longest entries fits a message.
const (
	auditPageSize = 8
	maxChanges    = 260
)

// AuditLog draws the page of a record whose first entry has the number top, or the latest page
// where there is no such entry. editions are the matrices that changes may name.
func AuditLog(
	v locale.Voice, record survey.AuditLog, editions matrix.List, top int,
) chat.Card {
	r, n, id := record.Round, len(record.Entries), string(record.Round.ID)
	if top < 1 || top > n {
		top = n
	}
	blocks := []chat.Block{chat.Heading{Text: v.Say("record.title", "area", r.Area)}}
	blocks = append(blocks, AuditHead(v, record)...)
	if record.Broken != 0 {
		broken := chat.Bold(v.Say("record.broken", "n", record.Broken))
		blocks = append(blocks, chat.Text{Spans: []chat.Span{broken}})
	} else {
		blocks = append(blocks, chat.Paragraph(v.Say("record.whole")))
	}
	blocks = append(blocks, chat.Divider{})
	for i := top; i > max(0, top-auditPageSize); i-- {
		blocks = append(blocks, auditEntry(v, r, record.Entries[i-1], editions)...)
	}
	blocks = append(blocks, chat.Divider{}, chat.Footnote(v.Say("record.compare")))
	page := func(top int) chat.Action {
		return chat.NewAction("page", id, v.Lang, strconv.Itoa(top))
	}
	var buttons []chat.Button
	if top < n {
		newer := page(min(n, top+auditPageSize))
		buttons = append(buttons, Button(v.Say("button.newer"), newer))
	}
	if top > auditPageSize {
		buttons = append(buttons, Button(v.Say("button.older"), page(top-auditPageSize)))
	}
	buttons = append(buttons, Button(v.Say("button.status"), onRound("status", r, v)))
	return Of(append(blocks, Row(buttons...))...)
}
