package redis

import (
	"net/url"

	"maturitybot/survey"
	"maturitybot/survey/plaintext"
)

// This file is the schema, and the only place where a key is made. Keys are part of the stored
// format: changing one loses what is kept under it.
//
//	round:{ID}           HASH   Until the round expires. Fields:
//	                            version
//	                            state
//	                            closes    the closing time, unix seconds
//	                            closed    when the round was closed (RFC 3339)
//	                            turnout   JSON, once anonymising has begun
//	                            sealed    Round.Anonymised: set once the roster is anonymous
//	                            salt      of the marks in the ledger
//	                            step      "1" while runBoth's second script is still to run; no
//	                                      reader sees it
//	                            body      the rest of the round as JSON
//	secret:{ID}          STRING The round's secret, 32 bytes. Until the round is closed or expires.
//	roster:{ID}          HASH   person -> their entry as compact JSON. No answers; after the close no
//	                            role, group or language either. Until the round expires.
//	responses:{ID}       ZSET   Each pseudonym, score 0. Until the round expires.
//	response:{ID}:PSEUDO HASH   The response of a pseudonym: no person and no time. Until it is
//	                            withdrawn or the round expires.
//	operation_times:{ID} HASH   OWNER -> JSON: "answer ELEMENT" or "detail ELEMENT" -> when the last
//	                            such operation was made, unix microseconds; "last answer" -> which of
//	                            the answers is the latest. Until the round is closed, or half an hour
//	                            after the hash was begun.
//	operation_times:{ID}:earlier
//	                     HASH   The same, of the ten minutes before.
//	owed:{ID}            ZSET   The message queue. "KIND PERSON" for a message or "KIND " for a post
//	                            -> when it is due or its lease ends, unix seconds. Until the round
//	                            expires.
//	planned:{ID}         SET    Which reminders and posts were planned: "KIND" or "KIND ZONE". Until
//	                            the round expires.
//	zones:{ID}           SET    The time zones of the people who take part. Until the round expires.
//	audit:{ID}           LIST   The audit log, oldest entry first, each as compact JSON. No answers.
//	                            Until the round expires.
//	links:{ID}           HASH   The links to the survey on the web. Until the round is closed or expires.
//	                            Fields:
//	                            PERSON  "NUMBER JSON": the personal link of a person; number 0 for a
//	                                    person who came by the open link
//	                            open    "0 JSON": the open link
//	                            last    the number of the last personal link
//	                            used    how many people came by the open link
//	link_index:{ID}      HASH   The hash of a link or of a return code -> the person, or "open". Once the
//	                            round is closed, "person" stands for every person. Until the round
//	                            expires.
//	erased:{ID}          HASH   The ledger: what was erased, so that a restored backup does not bring
//	                            it back. MARK -> "withdrawn" or "forgotten" and when, unix
//	                            microseconds; "left MARK" -> "left" and when, for a person forgotten
//	                            after the close; "closed" -> when (RFC 3339). Until survey.MaxOpen
//	                            after the round expires.
//	assessment:{ID}      HASH   What is kept of a workshop, without people. Until
//	                            workshop.Assessment.ExpiresAt, years after the round. Fields:
//	                            version
//	                            stage
//	                            body      the rest as JSON
//	                            shown     JSON: the counts of the ballot that is still open in the
//	                                      body; until the next change
//	                            ended     JSON: when the workshop ended, how many people of each role
//	                                      were there, and how many objected to each rating; until the
//	                                      next change
//	ballot:{ID}          HASH   What leads from people to votes and objections. Until the workshop
//	                            ends or the round expires. Fields:
//	                            number      of the open ballot
//	                            secret      of the open ballot, 32 bytes
//	                            objections  the secret of objections, 32 bytes, as long as the
//	                                        workshop goes on
//	                            shown       which ballot was shown last, and by which operation
//	                            counted     tokens of the operations whose votes were counted in it
//	votes:{ID}           HASH   The votes in the open ballot: pseudonym under its secret -> rating,
//	                            when it was made, unix microseconds, and the token of the operation.
//	                            Until the ballot is shown or replaced, the workshop ends, or the round
//	                            expires.
//	attendance:{ID}      HASH   person -> "ROLE LANGUAGE", as they gave them in the workshop. Until
//	                            the workshop ends or the round expires.
//	objections:{ID}      HASH   "ELEMENT PSEUDO" -> "1", the pseudonym being under the secret of
//	                            objections. Until the workshop ends or the round expires.
//	area:{AREA}          ZSET   Rounds with an assessment of the area -> when its workshop was
//	                            started, unix microseconds. Until the last of them expires.
//	assessments          ZSET   Every round with an assessment -> when its workshop was started, unix
//	                            microseconds. Until the last of them expires.
//	person:{PERSON}      ZSET   Rounds that the person was invited to or coordinates -> since when,
//	                            unix microseconds. Until the last of them expires.
//	channel:{CHANNEL}    ZSET   Rounds that are coordinated from the channel -> when they were made,
//	                            unix microseconds. Until the last of them expires.
//	rounds               ZSET   Every round -> when it was made, unix microseconds. Until the last of
//	                            them expires.
//	due                  ZSET   Every round -> when its queue is next examined, unix seconds: no
//	                            later than its first message is due (see deliveries.go). Until a
//	                            day after the last use.
//	plans                ZSET   A round -> when it next has something to plan, unix seconds; negative
//	                            when it has changed since it was planned (see plans.go). Until a day
//	                            after the last use.
//	schema               STRING The number of the schema (see Schema). Always.
//	journals             SET    The names of the journals to which serving processes add their
//	                            erasures. Always.
//	event:{EVENT}        STRING Who claimed an event that may be handled only once, for half a
//	                            minute; "finished" for ten minutes.
//
// The fields of a response:
//
//	ELEMENT     the rating, a number (see matrix.Rating); an element's id never begins with a dot
//	.i:ELEMENT  kinds of information, a JSON list
//	.n:ELEMENT  note
//	.b:ELEMENT  barrier
//	.g          role group; always set, so that a response exists before its first answer
//	.o          the last four operations, eight characters each, newest first (write_response.lua)
//
// An OWNER is the SHA-1, in hexadecimal, of the round's secret and the key of a response. Without
// the secret nothing leads from one to the other. The times are not kept with the response: a
// platform knows when each person pressed, and both together would identify whose response it is. There
// are two hashes, so that closing deletes the times without a list of them.
//
// Neither a link's token nor a return code is kept, but a keyed hash of it, and of a token the seed
// from which it can be made again with the key (survey.LinkKeys). The store has no key. A reader of an
// open round can tell who takes part by link, and with which label, and cannot open a link. In a
// closed round only the hashes are left. A reader can tell how many links and return codes there
// were. With the key and a link in hand, they could tell that the link was one of this round, but not
// which entry of the roster it led to: the close makes the index anew, in the order of the hashes.
//
// A round expires at survey.Round.ExpiresAt, and each of its keys at that moment. The assessment has
// the hash tag of its round, so that scripts may use both, but an expiry of its own.
//
// The scripts that show a ballot and end a workshop destroy what they count. They therefore keep the
// counts in the same step, in the fields "shown" and "ended", and do not read the body. Reading
// applies these to the body, and the next change writes the body with them.
//
// A token is a pseudonym of an operation under the secret of objections. It shows that the vote of
// the operation was counted, not which it was. A vote that is sent again after the ballot was shown
// is thereby not refused although it was counted.
//
// An AREA is plaintext.Key of the area's name, escaped as in a query of a URL.
//
// A MARK is the SHA-1, in hexadecimal, of the round's salt and a person; scripts of Redis have no
// better hash. Without the salt, which expires with the round, a mark does not identify whom it stands
// for. No pseudonym can be derived from it.
//
// The keys of a round share a hash tag, so that a cluster keeps them together and a script may use
// several. The indexes of a person, of a channel and of assessments are in other slots and are
// written first. An entry left by a fault between the two writes does no harm: readIndex asks for
// each round and removes the entries of rounds that no longer exist.
//
// Pseudonyms are in a sorted set with equal scores because that is ordered by its members. The
// order of a plain set would show more about who came when.

func roundKey(id survey.RoundID) string     { return "round:{" + string(id) + "}" }
func secretKey(id survey.RoundID) string    { return "secret:{" + string(id) + "}" }
func rosterKey(id survey.RoundID) string    { return "roster:{" + string(id) + "}" }
func responsesKey(id survey.RoundID) string { return "responses:{" + string(id) + "}" }

func responseKey(id survey.RoundID, pseudonym string) string {
	return "response:{" + string(id) + "}:" + pseudonym
}

// operationTimesKeys returns the keys of the two hashes with the times of operations: the current
// one and the earlier one.
func operationTimesKeys(id survey.RoundID) []string {
	key := "operation_times:{" + string(id) + "}"
	return []string{key, key + ":earlier"}
}

func queueKey(id survey.RoundID) string { return "owed:{" + string(id) + "}" }

func plannedKey(id survey.RoundID) string { return "planned:{" + string(id) + "}" }
func zonesKey(id survey.RoundID) string   { return "zones:{" + string(id) + "}" }
func auditKey(id survey.RoundID) string   { return "audit:{" + string(id) + "}" }

func linksKey(id survey.RoundID) string     { return "links:{" + string(id) + "}" }
func linkIndexKey(id survey.RoundID) string { return "link_index:{" + string(id) + "}" }

func erasedKey(id survey.RoundID) string { return "erased:{" + string(id) + "}" }

// keysOf returns the keys of a round that expire with it, except those of single responses. Scripts
// take them in this order.
func keysOf(id survey.RoundID) []string {
	return []string{
		roundKey(id), secretKey(id), rosterKey(id), responsesKey(id),
		queueKey(id), plannedKey(id), zonesKey(id), auditKey(id), linksKey(id), linkIndexKey(id),
	}
}

func assessmentKey(id survey.RoundID) string { return "assessment:{" + string(id) + "}" }
func ballotKey(id survey.RoundID) string     { return "ballot:{" + string(id) + "}" }
func votesKey(id survey.RoundID) string      { return "votes:{" + string(id) + "}" }
func attendanceKey(id survey.RoundID) string { return "attendance:{" + string(id) + "}" }
func objectionsKey(id survey.RoundID) string { return "objections:{" + string(id) + "}" }

// workshopKeys returns the keys of a workshop that goes on, which expire with the round. Scripts take
// them in this order.
func workshopKeys(id survey.RoundID) []string {
	return []string{ballotKey(id), votesKey(id), attendanceKey(id), objectionsKey(id)}
}

const (
	roundsKey      = "rounds"
	dueKey         = "due"
	plansKey       = "plans"
	schemaKey      = "schema"
	journalsKey    = "journals"
	assessmentsKey = "assessments"
)

func eventKey(event string) string { return "event:{" + event + "}" }

func personKey(person survey.PersonID) string { return "person:{" + string(person) + "}" }
func channelKey(channel string) string        { return "channel:{" + channel + "}" }

func areaKey(area string) string { return "area:{" + url.QueryEscape(plaintext.Key(area)) + "}" }
