package main

import (
	"fmt"

	"maturitybot/bot"
	"maturitybot/bot/chat"
)

// appSpec returns the bot's commands and texts that platforms show.
func appSpec() (chat.AppSpec, error) {
	words, err := loadWords()
	if err != nil {
		return chat.AppSpec{}, fmt.Errorf("describe the bot: %w", err)
	}
	return bot.AppSpec(words), nil
}
