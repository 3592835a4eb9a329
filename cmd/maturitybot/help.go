package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// setHelpTexts replaces each help text that is a key by its text in helpTexts or platformHelpTexts.
// A variable of kong could hold the text, but kong expands all variables again for each flag, which
// takes longer than the work of most commands.
func setHelpTexts(k *kong.Kong) error {
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) (err error) {
		switch node := node.(type) {
		case *kong.Node:
			node.Help, err = helpText(node.Help)
		case *kong.Value:
			node.Help, err = helpText(node.Help)
		}
		return next(err)
	})
}

// helpText returns the help text of a struct tag. A tag of one word is a key.
func helpText(tag string) (string, error) {
	if tag == "" || strings.Contains(tag, " ") {
		return tag, nil
	}
	for _, texts := range []map[string]string{helpTexts, platformHelpTexts} {
		if text, ok := texts[tag]; ok {
			return text, nil
		}
	}
	return "", fmt.Errorf("there is no help text %q", tag)
}

// helpTexts are the help texts that are too long for a struct tag. A tag has the key instead.
var helpTexts = map[string]string{
	"command_check": "Check the configuration of serve: Redis, the platforms and the files. " +
		"Say what works, what is wrong and what to do. Changes nothing.",
	"command_ready": "Check whether the bot on this machine is ready. Exits with 0 if it is, " +
		"1 if not.",
	"command_manifest": "Print the app manifest that a chat platform needs.",
	"command_try": "Answer the survey of an invented area in your browser, then see what the " +
		"coordinator's channel would get. Without a browser, in this terminal.",
	"web_url": "Public address of the pages for people who take part by link, such as " +
		"https://survey.example.org. Needs LINK_KEYS. Default: no pages.",
	"web_listen":   "Address to listen on for the pages. Default: the address of --listen.",
	"command_play": "Play a conversation from a .chat file and print it.",
	"command_results": "Compute results from answers that were collected on paper, in a " +
		"spreadsheet or with a form tool.",
	"command_report": "Read the agreed ratings of many areas together: how many areas are on " +
		"each level, by nation, and the average level of each dimension.",
	"command_rounds": "List all rounds, without names of people.",
	"command_coordinator": "Add a coordinator to a round, for example when the last one has " +
		"left. The round's record and its channel say so.",
	"command_export": "Write all the files a coordinator may have for a round.",
	"command_forget": "Delete a person from every round, and their answers from each round " +
		"that is not closed.",
	"command_backup": "Write everything in Redis to an encrypted file. The bot can keep " +
		"running.",
	"command_restore": "Restore a backup into Redis, without what was erased after it was " +
		"made. Or only check the backup.",

	"recipient": "Public key that encrypts the backup, as age-keygen prints it. Separate " +
		"several with commas.",
	"forget_without_erasures": "Delete even if the file of erasures that serve uses cannot be " +
		"opened. A restored backup then brings the person back.",
	"matrix_show_edition": "Id of the matrix: england and wales come with the program. " +
		"Default: the file of --matrix, or england.",
	"matrix_show_lang": "Language: en, cy, or another language of the matrix. Default: the " +
		"matrix's first language for text, all languages for JSON.",
	"ops_listen": "Address for /healthz, /readyz and /metrics (Prometheus). Use off to turn " +
		"it off. It has no password, so keep it on a private network.",
	"report_file": "Agreed ratings as XLSX or CSV with the columns area, nation, element, " +
		"level. Nation is England or Wales. Element and level are an id or a name, in English " +
		"or Welsh, or the level's number. An empty level is not rated.",
	"report_format": "text, csv, xlsx, png or svg. Default: the ending of the file of -o, or " +
		"text.",
	"report_matrix": "Matrix file that the areas were rated with. Default: the editions that " +
		"come with the program.",
	"identity": "File with the secret key, as age-keygen wrote it.",
	"restore_erasures": "Files to which serve and forget added what was erased. Separate " +
		"several with commas.",
	"results_file": "The answers as XLSX or CSV. Either with the columns respondent, role, " +
		"element, level, and comment if there are any. Or as form tools export them: a row " +
		"for each person, with a column role and one for each question. - reads standard " +
		"input. --example writes an example.",
	"results_wide": "With --example: write a row for each person and a column for each " +
		"question, as form tools do.",
	"results_consensus": "Percentage of ratings on one level that counts as consensus. " +
		"From 1 to 100.",
	"results_edition": "Matrix of the survey: england, wales or a matrix file.",
	"results_min_group": "Show an element's results only if at least this many people rated " +
		"it. At least 3.",
	"results_format": "text, json, csv, xlsx, png or svg; with --workshop xlsx or html. Default: the " +
		"ending of the file of -o, or text; with --workshop xlsx.",
	"results_workshop": "Write the workshop sheet instead, as xlsx or html: the questions with " +
		"what the answers say, and blanks for what the workshop agrees. The command report " +
		"reads the filled-in xlsx.",
	"holidays": "File of bank holidays to use instead of the built-in list: gov.uk's " +
		"bank-holidays.json, or one date a line.",
	"retention": "How many years the agreed ratings of a workshop are kept after their last " +
		"change. They hold no names.",
	"redis_url":      "Address of Redis, such as redis://localhost:6379/0.",
	"redis_url_file": "File that contains the address of Redis, with its password.",
	"erasures": "Add a line to this file for each erasure, before it is confirmed. A restored " +
		"backup then leaves out what was erased since, even if Redis was lost. The file " +
		"contains no names.",
	"try_out": "Folder for the files that the coordinator's channel gets. Default: a new " +
		"temporary folder.",
	"matrix": "Also use the matrix in this file, besides the editions that come with the " +
		"program. Give it once for each version that rounds still use.",
}
