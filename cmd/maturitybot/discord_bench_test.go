package main

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	osexec "os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// bareDiscord is the bare handler of the Discord benchmark: it verifies the signature, parses the interaction with discordgo, runs the
// script that keeps an answer with go-redis, and answers that the message is to change.
func bareDiscord() {
	ctx := context.Background()
	o, err := goredis.ParseURL(os.Getenv("REDIS_URL"))
	fatal(err)
	client := goredis.NewClient(o)
	source, err := os.ReadFile("../../adapters/redis/lua/write_response.lua")
	fatal(err)
	script := goredis.NewScript(string(source))
	secret, err := client.Get(ctx, "secret:{"+benchRound+"}").Bytes()
	fatal(err)
	answer := []byte(`{"type":7,"data":{"flags":32768,"components":[{"type":10,"content":"` + strings.Repeat("x", 2000) + `"}]}}`)
	fatal(http.ListenAndServe(os.Getenv(bareAddress), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !discordgo.VerifyInteraction(r, benchKey.Public().(ed25519.PublicKey)) {
			fatal(fmt.Errorf("a signature that is not ours"))
		}
		body, err := io.ReadAll(r.Body)
		fatal(err)
		var i discordgo.Interaction
		fatal(json.Unmarshal(body, &i))
		words := strings.Split(i.MessageComponentData().CustomID, ":")
		pseudonym := survey.Pseudonym(secret, survey.PersonID("discord::"+i.Member.User.ID))
		key := "{" + benchRound + "}"
		made, err := discordgo.SnowflakeTimestamp(i.ID)
		fatal(err)
		reply, err := script.Run(r.Context(), client, []string{"round:" + key, "secret:" + key, "response:" + key + ":" + pseudonym, "operation_times:" + key, "operation_times:" + key + ":earlier"},
			time.Now().Unix(), "answer "+words[2]+" "+i.ID, "answer "+words[2], made.UnixMicro(), survey.DoubleTap.Microseconds(), words[2], words[3]).Slice()
		fatal(err)
		if reply[0] != "done" {
			fatal(fmt.Errorf("the script says %v", reply[0]))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})))
}

// benchKey signs the interactions of the benchmark.
var benchKey = ed25519.NewKeyFromSeed([]byte("the benchmark's own signing key."))

const (
	bareOnDiscord = "MATURITYBOT_BARE_DISCORD"
	benchApp      = "1100000000000000001"
)

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
	start := func(cmd *osexec.Cmd, address string) *pressing {
		process(b, address, cmd)
		return newPressing(discordPress(address, elements))
	}
	address := freePort(b)
	cmd := osexec.Command(os.Args[0])
	cmd.Env = append(environment, bareAddress+"="+address, bareOnDiscord+"=1")
	bare := start(cmd, address)
	address = freePort(b)
	cmd = osexec.Command(program, "serve")
	cmd.Env = append(environment, "DISCORD_TOKEN=bench", "DISCORD_PUBLIC_KEY="+key, "DISCORD_API_URL="+api.URL+"/", "LISTEN="+address, "OPS_LISTEN=off")
	bot := start(cmd, address)
	for b.Loop() {
		var rate [2]float64
		for range 3 {
			for i, p := range []*pressing{bare, bot} {
				rate[i] += p.flood(b, floods()) / 3
			}
		}
		b.ReportMetric(rate[1], "answers/s")
		b.ReportMetric(rate[0], "bare/s")
		b.ReportMetric(rate[1]/rate[0], "of-bare")
		b.ReportMetric(float64(bot.steady(b, rate[1]/2, 2*floods()).Microseconds())/1000, "p99-ms-at-half")
		b.ReportMetric(resident(b, cmd.Process.Pid), "MiB-resident")
		b.ReportMetric(0, "ns/op")
	}
}
