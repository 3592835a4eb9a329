package matrix

// limit is the smallest and largest number of something, and the reason. A text must never be
// empty. Slack's limits are from docs.slack.dev, folder reference/block-kit. Discord's are from its
// documentation, page developers/components/reference.
type limit struct {
	least, most int
	why         string
}

// How long texts may be, in characters of one language. Where a text of the matrix shares its place
// with other words, it gets what those leave.
var (
	// composition-objects/option-object: 75; Discord takes 100.
	optionText = limit{most: 75, why: "Slack: text of an option"}
	// As an option, after a mark and a space.
	elementName = limit{most: 73, why: "Slack: text of an option, after a mark"}
	// block-elements/button-element: 75 are taken and about 30 shown, a tick and a space included;
	// Discord takes 80.
	levelShort = limit{most: 28, why: "Slack: what a button shows of its text, after a tick"}
	// block-elements/button-element: accessibility_label 75, which also says "Your answer: " and
	// ", 100 of 100".
	levelName = limit{most: 40, why: "Slack: spoken label of a button, with its progress"}
	// block-elements/select-menu-element: placeholder 150, both platforms; half is for the words
	// around it.
	dimensionName = limit{most: 75, why: "Slack and Discord: placeholder of a menu, with its words"}
	// blocks/header-block; Discord has no such limit.
	headingText = limit{most: 150, why: "Slack: header"}
	// composition-objects/confirmation-dialog-object; explanations are held to what is read at a
	// glance.
	shortText = limit{most: 300, why: "Slack: text of a dialog"}
	// blocks/section-block: 3000 a section; but a message on Discord takes 4000 in all, and there
	// are as many as seven of them in one beside the question.
	cardText = limit{most: 600, why: "Discord: a share of the 4000 characters of a message"}
	// Discord, Components V2: 4000 in all texts of one message. A person's own note and barrier
	// are in the same message, and at most 300 characters of labels, progress and markup.
	wholeCard = limit{most: 4000 - MaxNoteRunes - MaxBarrierRunes - 300,
		why: "Discord: the 4000 characters of a message, less a person's note, barrier and the labels"}
	// The same: the status of a round names all roles in one message beside its people.
	allRoleNames = limit{most: 1200,
		why: "Discord: the 4000 characters of a message, less the rest of a status"}
	// Never shown; a line of a file.
	alsoText = limit{most: 150, why: "one cell of a table"}
)

// How many of something there may be.
var (
	// Discord, Components V2: 40 in one message. An element's card takes 19 below what was just
	// saved, with a button for the other of the bot's two languages, and 3 a level: 7 levels are
	// 40.
	levelCount    = limit{2, 7, "Discord: 40 components in a message"}
	languageCount = limit{1, 3, "Discord: 40 components in a message"}
	// The same: the list of elements takes 11 and 2 a dimension, the card of roles 17 and 2 a
	// group.
	dimensionCount = limit{1, 10, "Discord: 40 components in a message"}
	groupCount     = limit{1, 10, "Discord: 40 components in a message"}
	// Discord, string select: 25 options (Slack 100). Elements are offered one menu a dimension.
	perDimension = limit{1, 25, "Discord: 25 options in a menu"}
	// The same, with "I would rather not say" among them. Roles are offered one menu a group when
	// there are more.
	perGroup = limit{1, 24, "Discord: 25 options in a menu, one of them not a role"}
	// block-elements/checkboxes-element; Discord's checkbox group takes 10 as well.
	kindCount = limit{0, 10, "Slack and Discord: 10 checkboxes in a group"}
	// The progress bar has a mark for each.
	elementCount = limit{1, 100, "Slack and Discord: the progress bar of a card"}
	coreCount    = limit{1, 25, "Discord: 25 options in a menu, each core element with one at least"}
	alsoCount    = limit{0, 10, "one row of a table each"}
)

// idLength is the longest id in characters: an action of a button holds as many as two of them in
// 100 bytes on Discord.
const idLength = 16

// reserved ids mean something else in results, files or actions.
var reserved = []string{"all", "dk", "everyone", "na", "none", "not-stated"}
