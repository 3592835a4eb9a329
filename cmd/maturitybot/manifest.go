package main

import (
	"maturitybot/bot"
	"maturitybot/bot/chat"
)

// appSpec returns the bot's commands and texts that platforms show.
func appSpec() chat.AppSpec {
	return bot.AppSpec(loadWords())
}
