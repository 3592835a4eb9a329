package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// benchKey signs the interactions of the benchmark.
var benchKey = ed25519.NewKeyFromSeed([]byte("the benchmark's own signing key."))

const benchApp = "1100000000000000001"

func benchUser(n int64) string { return fmt.Sprintf("12000000000%07d", n) }

// discordPress makes signed presses.
func discordPress(address string, elements []string) func(n int64) (*http.Request, error) {
	began := time.Now()
	return func(n int64) (*http.Request, error) {
		id := uint64(pressedAt(began, n).UnixMilli()-1420070400000)<<22 | uint64(n)&(1<<22-1)
		body := fmt.Sprintf(`{"type":3,"id":"%d","application_id":%q,"token":"aW50ZXJhY3Rpb24%d","version":1,"channel_id":"1100000000000000020","guild_id":"1100000000000000010",`+
			`"channel":{"id":"1100000000000000020","type":0},"locale":"en-GB","guild_locale":"en-GB","context":0,"entitlements":[],"attachment_size_limit":10485760,`+
			`"member":{"user":{"id":%q,"username":"u","global_name":"u","discriminator":"0","avatar":null},"roles":[],"permissions":"1024","joined_at":"2024-01-01T00:00:00Z"},`+
			`"message":{"id":"11000000001%08d","channel_id":"1100000000000000020","flags":32832,"type":0,"content":"","timestamp":"2026-01-01T00:00:00Z","author":{"id":%q,"username":"m","bot":true},`+
			`"embeds":[],"attachments":[],"components":[{"type":17,"components":[%s]}]},"data":{"custom_id":"answer:%s:%s:%d","component_type":2}}`,
			id, benchApp, n, benchUser(n%active), n%active, benchApp, discordBlocks, benchRound, elements[int(n/active)%len(elements)], 1+n%4)
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		r, err := http.NewRequest(http.MethodPost, "http://"+address+"/discord", strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Signature-Timestamp", stamp)
		r.Header.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(benchKey, []byte(stamp+body))))
		return r, nil
	}
}

// discordBlocks are what Discord sends back of the card that was pressed: about as much as a real one.
var discordBlocks = strings.TrimSuffix(strings.Repeat(`{"type":9,"id":3,"components":[{"type":10,"id":4,"content":"**Early**\n`+strings.Repeat("word ", 30)+`"}],`+
	`"accessory":{"type":2,"id":5,"style":2,"label":"Early","custom_id":"x"}},`, 6), ",")

// BenchmarkDiscord is BenchmarkSlack's twin for the interactions endpoint. There the answer to a press is the changed card itself, so the bare
// handler answers with a card of fixed text.
func BenchmarkDiscord(b *testing.B) {
	program, _, environment, elements := benched(b, "discord::1100000000000000011", "discord:1100000000000000010:1100000000000000020", func(i int) string { return "discord::" + benchUser(int64(i)) })
	key := hex.EncodeToString(benchKey.Public().(ed25519.PublicKey))
	api, _ := stub(b, func(path string) string {
		if strings.HasSuffix(path, "/commands") || strings.HasSuffix(path, "/guilds") {
			return "[]"
		}
		return `{"id":"` + benchApp + `","username":"m","bot":true,"verify_key":"` + key + `","interactions_endpoint_url":"https://bot.example.org/discord"}`
	})
	press := func(address string) *pressing { return newPressing(discordPress(address, elements)) }
	bare := startBare(b, "bare", bareDiscord, environment, press)
	lean := startBare(b, "lean", leanDiscord, environment, press)
	bot, _ := startBot(b, program, append(environment,
		"DISCORD_TOKEN=bench", "DISCORD_PUBLIC_KEY="+key, "DISCORD_API_URL="+api.URL+"/"), press)
	for b.Loop() {
		contest(b, bot, bare, lean)
	}
}
