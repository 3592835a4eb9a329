package redis

import "maturitybot/survey"

// This file is the schema, and the only place where a key is made. A key is a wire format: changing one
// loses what is kept under it.
//
//	key                   type    holds                                                    lives until
//	round:{ID}            HASH    version; state; closes, the closing time in whole unix   the round expires
//	                              seconds; closed, when it was closed (RFC 3339); turnout,
//	                              JSON, and sealed, once the roster has forgotten; salt, of
//	                              the marks in the ledger; step, within a transaction only
//	                              (see runBoth); body, the rest of the round as JSON
//	secret:{ID}           STRING  the round's secret, 32 bytes                             the round is closed, or expires
//	roster:{ID}           HASH    person -> their entry as compact JSON; no answers;        the round expires
//	                              of a closed round no role, group or language either
//	responses:{ID}        ZSET    every pseudonym, score 0                                 the round expires
//	response:{ID}:PSEUDO  HASH    what was said under the pseudonym; no person, no time    withdrawn, or the round expires
//	person:{PERSON}       ZSET    rounds the person was invited to or coordinates ->       the last of them expires
//	                              when first so, unix microseconds
//	operation_times:{ID}  HASH    OWNER -> JSON: "answer ELEMENT" or "detail ELEMENT" ->     the round is closed, or half an
//	                              when the last such operation was made, unix microseconds;  hour after it was begun
//	                              "last answer" -> which of the answers is the latest
//	operation_times:{ID}:earlier  the same, of the ten minutes before                       as above
//	owed:{ID}             ZSET    "KIND PERSON", a message owed, or "KIND " a post -> when it is due, or when  settled, or the round expires
//	                              who took it must have sent it, unix seconds
//	planned:{ID}          SET     what of reminders and posts has been planned: "KIND" or        the round expires
//	                              "KIND ZONE"
//	zones:{ID}            SET     the time zones of the people who answer                      the round expires
//	audit:{ID}            LIST    the record of the round, an entry each as compact JSON,        the round expires
//	                              oldest first; no answers
//	erased:{ID}           HASH    the ledger: what was erased, for a restored backup not to bring    survey.MaxOpen longer than
//	                              it back: MARK -> "withdrawn" or "forgotten" and when, unix         the round
//	                              microseconds; "left MARK" -> "left" and when, of somebody
//	                              forgotten after the close; "closed" -> when (RFC 3339)
//	due                   ZSET    every round -> when it is next looked at for messages that are due:    a day after its last use
//	                              no later than its first one is, unix seconds (see deliveries.go)
//	plans                 ZSET    a round -> when it next has something to plan, unix seconds; negative    a day after its last use
//	                              when it has changed since it was planned (see plans.go)
//	rounds                ZSET    every round -> when it was made, unix microseconds        the last of them expires
//	schema                STRING  the schema of what is kept, a number (see Schema)         always
//	journals              SET     names of the journals that processes which serve add      always
//	                              their erasures to
//	event:{EVENT}         STRING  who claimed an event that may be done only once, or       half a minute; finished, ten
//	                              "finished"                                                minutes
//	channel:{CHANNEL}     ZSET    rounds coordinated from the channel -> when made, unix   the last of them expires
//	                              microseconds
//
// The fields of a response:
//
//	ELEMENT     the rating, as a number (see survey.Rating); an element's id never begins with a dot
//	.i:ELEMENT  kinds of information held, a JSON list
//	.n:ELEMENT  note
//	.b:ELEMENT  barrier
//	.g          role group; always there, so that a response exists before its first answer
//	.o          the last four operations, eight characters each, newest first (see lua/say.lua)
//
// An OWNER is the SHA-1, in hexadecimal, of the round's secret and the key of a response. With the secret goes the way from one to
// the other. The times are not kept with the response: a platform knows when each person pressed, and who has its times and these would know
// whose response is whose. Two hashes take turns, so that closing finds them without a list of them.
//
// A round expires at survey.Round.ExpiresAt, and each key of it by itself at that moment.
//
// A MARK is the SHA-1, in hexadecimal, of the round's salt and a person: scripts of Redis have no better hash. Whoever does not have
// the salt, which goes with the round, cannot tell whom it stands for; and no pseudonym can be told from it.
//
// The keys of one round share a hash tag, so that in a cluster they lie together and a script may touch
// several of them. The lists of a person and a channel lie elsewhere, so they are written first: what
// is left over after a fault between the two writes does no harm, since a reader asks each round it finds
// there, and takes out what has vanished.
//
// The pseudonyms are in a sorted set because one whose scores are all equal is ordered by its members: a
// plain set would keep them in an order in which more could be read about who came when.

func roundKey(id survey.RoundID) string     { return "round:{" + string(id) + "}" }
func secretKey(id survey.RoundID) string    { return "secret:{" + string(id) + "}" }
func rosterKey(id survey.RoundID) string    { return "roster:{" + string(id) + "}" }
func responsesKey(id survey.RoundID) string { return "responses:{" + string(id) + "}" }

func responseKey(id survey.RoundID, pseudonym string) string {
	return "response:{" + string(id) + "}:" + pseudonym
}

// operationTimesKeys are the two hashes with the times of operations: the one that is written to, and the one before.
func operationTimesKeys(id survey.RoundID) []string {
	key := "operation_times:{" + string(id) + "}"
	return []string{key, key + ":earlier"}
}

func owedKey(id survey.RoundID) string { return "owed:{" + string(id) + "}" }

func plannedKey(id survey.RoundID) string { return "planned:{" + string(id) + "}" }
func zonesKey(id survey.RoundID) string   { return "zones:{" + string(id) + "}" }
func auditKey(id survey.RoundID) string   { return "audit:{" + string(id) + "}" }

func erasedKey(id survey.RoundID) string { return "erased:{" + string(id) + "}" }

// keysOf are the keys of a round that live as long as it does and are few; scripts are given them in this order.
func keysOf(id survey.RoundID) []string {
	return []string{roundKey(id), secretKey(id), rosterKey(id), responsesKey(id), owedKey(id), plannedKey(id), zonesKey(id), auditKey(id)}
}

const (
	roundsKey   = "rounds"
	dueKey      = "due"
	plansKey    = "plans"
	schemaKey   = "schema"
	journalsKey = "journals"
)

func eventKey(event string) string { return "event:{" + event + "}" }

func personKey(person survey.PersonID) string { return "person:{" + string(person) + "}" }
func channelKey(channel string) string        { return "channel:{" + channel + "}" }
