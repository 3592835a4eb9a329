package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
)

// auditPageSize is the number of entries on a page of a record, and maxChanges the number of
// characters for the changes of one entry. A page of the longest entries fits a message.
const (
	auditPageSize = 8
	maxChanges    = 260
)

// showAuditLog shows who did what in a round, latest first.
func (h coordinator) showAuditLog(
	ctx context.Context, req *request, args targetArgs,
) (chat.Card, error) {
	r, err := h.target(ctx, req, args, isAny)
	if err != nil {
		return chat.Card{}, err
	}
	return h.auditLogCard(
		ctx,
		req,
		pageArgs{coordinatorArgs: coordinatorArgs{round: r.ID, lang: args.lang}},
	)
}

// turnAuditPage shows another page of the record.
func (h coordinator) turnAuditPage(
	ctx context.Context, req *request, args pageArgs,
) (chat.Card, error) {
	return h.auditLogCard(ctx, req, args)
}

// auditLogCard draws the page whose first entry has the given number, or the latest page.
func (h coordinator) auditLogCard(
	ctx context.Context, req *request, args pageArgs,
) (chat.Card, error) {
	record, err := h.rounds.AuditLog(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	r, all, n := record.Round, record.Entries, len(record.Entries)
	v, id := h.roundVoice(req, r), string(r.ID)
	top := args.top
	if top < 1 || top > n {
		top = n
	}
	blocks := []chat.Block{chat.Heading{Text: v.Say("record.title", "area", r.Area)}}
	blocks = append(blocks, auditHead(v, record)...)
	if record.Broken != 0 {
		blocks = append(blocks,
			chat.Text{Spans: []chat.Span{chat.Bold(v.Say("record.broken", "n", record.Broken))}},
		)
	} else {
		blocks = append(blocks, chat.Paragraph(v.Say("record.whole")))
	}
	blocks = append(blocks, chat.Divider{})
	for i := top; i > max(0, top-auditPageSize); i-- {
		blocks = append(blocks, h.auditEntry(v, r, all[i-1])...)
	}
	blocks = append(blocks, chat.Divider{}, chat.Footnote(v.Say("record.compare")))
	var buttons []chat.Button
	if top < n {
		buttons = append(buttons,
			card.Button(
				v.Say("button.newer"),
				chat.NewAction("page", id, v.Lang, fmt.Sprint(min(n, top+auditPageSize))),
			),
		)
	}
	if top > auditPageSize {
		buttons = append(buttons,
			card.Button(
				v.Say("button.older"),
				chat.NewAction("page", id, v.Lang, fmt.Sprint(top-auditPageSize)),
			),
		)
	}
	return card.Of(
		append(blocks,
			card.Row(
				append(buttons,
					card.Button(v.Say("button.status"), chat.NewAction("status", id, v.Lang)),
				)...),
		)...), nil
}

// auditHead returns a footnote with the number of entries and the fingerprint of the last, or
// nothing for an empty record.
func auditHead(v locale.Voice, record survey.AuditLog) []chat.Block {
	head := record.Head()
	if head.Hash == "" {
		return nil
	}
	return []chat.Block{chat.Footnote(v.Count("record.head", head.Seq, "seal", head.Fingerprint()))}
}

// fingerprintLine is auditHead for a post to the coordinator's channel. A person who alters the
// store cannot alter what was posted there. If it cannot be read, the post goes without it.
func (h publisher) fingerprintLine(
	ctx context.Context, v locale.Voice, r survey.Round,
) []chat.Block {
	record, err := h.rounds.AuditLog(ctx, r)
	if err != nil {
		h.Log.Error("a post goes without the seal of the record", "round", r.ID, "error", err)
		return nil
	}
	return auditHead(v, record)
}

// auditEntry draws an entry: what was done, its number, by whom, when, and the fingerprint.
func (h *Tools) auditEntry(v locale.Voice, r survey.Round, e audit.Entry) []chat.Block {
	what := append([]chat.Span{chat.Bold(actionTitle(v, e))}, h.changeSpans(v, r, e)...)
	foot := []chat.Span{chat.Words(fmt.Sprintf("%d · ", e.Seq))}
	switch {
	case e.By == "":
		foot = append(foot, chat.Words(v.Say("record.bot")))
	case e.By == audit.Operator:
		foot = append(foot, chat.Words(v.Say("record.operator")))
	case len(e.By) > chat.MaxAction:
		foot = append(foot, chat.Words(v.Say("record.unreadable")))
	default:
		foot = append(foot, mention(survey.PersonID(e.By)))
	}
	foot = append(foot, chat.Words(" · "+v.Time(e.At.In(r.Location()))+" · "+e.Fingerprint()))
	return []chat.Block{chat.Text{Spans: what}, chat.Note{Spans: foot}}
}

// actionTitles are the sentences for what was done.
var actionTitles = map[audit.Action]string{
	audit.Created:         "record.act_created",
	audit.Redrafted:       "record.act_redrafted",
	audit.Opened:          "record.act_opened",
	audit.Extended:        "record.act_extended",
	audit.Invited:         "record.act_invited",
	audit.SelfJoinAllowed: "record.act_door",
	audit.Reminded:        "record.act_reminded",
	audit.Plan:            "record.act_plan",
	audit.Workshop:        "record.act_workshop",
	audit.Team:            "record.act_team",
	audit.SelfAdded:       "record.act_self_added",
	audit.Closed:          "record.act_closed",
	audit.Results:         "record.act_results",
	audit.Exported:        "record.act_exported",
	audit.Nudged:          "record.act_nudged",
	audit.Forgotten:       "record.act_forgotten",
	audit.Restored:        "record.act_restored",
	audit.Refused:         "record.act_refused",
	audit.Full:            "record.act_full",
}

// quotaNames name the actions that have a quota.
var quotaNames = map[audit.Action]string{
	audit.Results:   "record.kind_results",
	audit.Exported:  "record.kind_exported",
	audit.Nudged:    "record.kind_nudged",
	audit.Forgotten: "record.kind_forgotten",
	audit.Refused:   "record.kind_refused",
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
		n, err := strconv.Atoi(changeOf(e, audit.FieldPeople))
		if err != nil {
			return unreadable
		}
		return v.Count(key, n)
	case e.Action == audit.Refused:
		return v.Say(key, "deed", refusedLabel(v, changeOf(e, audit.FieldVerb)))
	case e.Action == audit.Full:
		kind, limit := unreadable, audit.Quota
		if name, ok := quotaNames[audit.Action(changeOf(e, audit.FieldAct))]; ok {
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

// changeOf returns the new value of a field in an entry, or "".
func changeOf(e audit.Entry, field string) string {
	for _, c := range e.Changes {
		if c.Field == field {
			return c.New
		}
	}
	return ""
}

// changeSpans returns what an action changed, as far as there is room. The exported files hold all
// of it.
func (h *Tools) changeSpans(v locale.Voice, r survey.Round, e audit.Entry) []chat.Span {
	var spans []chat.Span
	room, left := maxChanges, 0
	for _, c := range e.Changes {
		if c.Field == "closed" && c.New == e.At.Format(time.RFC3339) ||
			c.Field == "coordinators" && e.Action == audit.Created {
			continue // the line beneath says it
		}
		said, length := h.changeText(v, r, c)
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
	"area":            "record.field_area",
	"closed":          "record.field_closed",
	"closes":          "record.field_closes",
	"workshop":        "record.field_workshop",
	"place":           "record.field_place",
	"matrix":          "record.field_matrix",
	"languages":       "record.field_languages",
	"min_group":       "record.field_min_group",
	"agreed":          "record.field_agreed",
	"far":             "record.field_far",
	"time_zone":       "record.field_time_zone",
	"paused":          "record.field_paused",
	"before_close":    "record.field_before_close",
	"before_workshop": "record.field_before_workshop",
	"hour":            "record.field_hour",
	"spec":            "record.field_spec",
	"digest":          "record.field_digest",
	"posts_off":       "record.field_posts_off",
	audit.FieldBackup: "record.field_backup",
}

// changeText returns one change in words, and its length in characters. It is empty for what the
// action's title says, and for fields that mean nothing to a reader.
func (h *Tools) changeText(
	v locale.Voice, r survey.Round, c audit.Change,
) (said []chat.Span, length int) {
	switch c.Field {
	case audit.FieldPeople, audit.FieldVerb, audit.FieldAct, "join", "channel":
		return nil, 0
	case audit.FieldShown:
		if c.New == privateWord {
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
	}
	is, was := h.fieldValue(v, r, c.Field, c.New), h.fieldValue(v, r, c.Field, c.Old)
	words := label + ": " + is
	switch {
	case is == "":
		words = v.Say("record.none", "field", label, "old", was)
	case was != "":
		words = v.Say("record.change", "field", label, "new", is, "old", was)
	}
	return []chat.Span{chat.Words(words)}, utf8.RuneCountInString(words)
}

// addedCoordinators names the coordinators that were added.
func addedCoordinators(v locale.Voice, people []string) (said []chat.Span, length int) {
	const most = 5
	said = append(said, chat.Words(v.Say("record.field_coordinators")+": "))
	for i, p := range people[:min(len(people), most)] {
		if i > 0 {
			said = append(said, chat.Words(", "))
		}
		said = append(said, mention(survey.PersonID(p)))
		length += len(p)
	}
	if more := len(people) - most; more > 0 {
		said = append(said, chat.Words(" "+v.Count("status.more", more)))
	}
	return said, length
}

// fieldValue returns the value of a field in words.
func (h *Tools) fieldValue(v locale.Voice, r survey.Round, field, value string) string {
	const most = 60
	parts := func(each func(string) string) string {
		words := strings.Split(value, ", ")
		for i, w := range words {
			words[i] = each(w)
		}
		return strings.Join(words, ", ")
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
	case "matrix":
		if i := slices.IndexFunc(h.Matrices, func(m *matrix.Matrix) bool { return m.ID == value }); i >= 0 {
			value = h.Matrices[i].Nation.In(matrix.Lang(v.Lang))
		}
	case "languages":
		value = parts(func(l string) string { return h.languageName(matrix.Lang(l)) })
	case "posts_off":
		return parts(func(kind string) string {
			return cmp.Or(card.PostName(v, survey.MessageKind(kind)), v.Say("record.unreadable"))
		})
	}
	return chat.Trim(value, most)
}
