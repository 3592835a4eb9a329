package main

import "github.com/alecthomas/kong"

// helpTexts are the help texts that are too long for a struct tag. A tag refers to a text as
// ${key}.
var helpTexts = kong.Vars{
	"command_check": "Try the configuration of serve: Redis, the platforms, the files; say " +
		"what works, what is wrong, and what to do. Changes nothing.",
	"command_ready": "Ask the bot that serves on this machine whether it is ready; the exit " +
		"code tells.",
	"command_manifest": "Print what a chat platform is told to make an app for the bot.",
	"command_try": "Answer the survey in this terminal, then see what the coordinator's " +
		"channel would get. Nothing is kept.",
	"command_play": "Play a conversation that is written down in a .chat file, and show it.",
	"command_results": "Compute results from answers that were collected elsewhere, on paper " +
		"or in a spreadsheet.",
	"command_report": "Read the agreed ratings of many areas together: how many are on each " +
		"level, by nation, and the average level of each dimension.",
	"command_rounds": "List the rounds that are kept, without names of people.",
	"command_coordinator": "Add a coordinator to a round, whose last one may have left. The " +
		"round's record and its channel tell of it.",
	"command_export": "Write everything of a round that its coordinator may have.",
	"command_forget": "Take a person out of every round, and erase what they answered in " +
		"those that are not closed.",
	"command_backup": "Write everything that is kept to an encrypted file, while the bot " +
		"runs.",
	"command_restore": "Write a backup back into Redis, without what was erased since; or " +
		"only check it.",

	"recipient": "Public key of whoever may read the backup, as age-keygen prints it; several " +
		"with commas.",
	"forget_without_erasures": "Go on though the erasure is not added to the file that serve " +
		"adds to: a restored backup brings the person back.",
	"matrix_show_edition": "Id of the matrix: england and wales come with the program. " +
		"Without it, the file of --matrix, else england.",
	"matrix_show_lang": "Language: en or cy, or another of the matrix. Without it, text in " +
		"its first language and JSON in all.",
	"ops_listen": "Address of /healthz, /readyz and, for Prometheus, /metrics, or off. It has " +
		"no password: keep it on a private network.",
	"report_file": "Agreed ratings as XLSX or CSV with the columns area, nation, element, " +
		"level. Nation: England or Wales. Element and level: id or name, in English or Welsh; " +
		"the level's number will do; blank is not rated.",
	"report_format": "text, csv, xlsx, png or svg. Without it, what the ending of FILE says, " +
		"else text.",
	"identity": "File with the secret key, as age-keygen wrote it.",
	"restore_erasures": "Files to which serve and forget added what was erased; several with " +
		"commas.",
	"results_file": "The answers, as XLSX or CSV: columns respondent, role, element, level, " +
		"and comment if there are any; - reads standard input. See --example.",
	"results_edition": "Matrix that was asked: england, wales, or a matrix file.",
	"results_min_group": "People who must have rated an element before anything of it is " +
		"shown; at least 3.",
	"results_format": "text, json, csv, xlsx, png or svg. Without it, what the ending of the " +
		"file of -o says, else text.",
	"holidays": "Bank holidays in place of those known: gov.uk's bank-holidays.json, or a day " +
		"a line.",
	"redis_url":      "Where answers are kept, such as redis://localhost:6379/0.",
	"redis_url_file": "A file that holds the address instead, with its password.",
	"erasures": "Add a line to this file for each erasure, before it counts as done: a " +
		"restored backup then leaves out what was erased since, also when Redis was lost. " +
		"Names nobody.",
	"try_out": "Folder for the files that the coordinator's channel gets. Without it, a new " +
		"temporary one.",
	"matrix": "Use the matrix in this file as well as the editions that come with the " +
		"program.",
}
