package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	osexec "os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	goredis "github.com/redis/go-redis/v9"
	slackgo "github.com/slack-go/slack"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
)

// Bare handlers do the least that an answer takes, for comparison: they verify the signature, parse
// the payload, run the script that keeps an answer and show a card of fixed text. "bare" parses with
// slack-go or discordgo, and with slack-go it makes and sends the card. "lean" decodes only the
// fields that it needs, and its card is ready. Each is a process of its own, as the bot is.
const (
	bareAddress = "MATURITYBOT_BARE_ADDRESS"
	bareHandler = "MATURITYBOT_BARE_HANDLER"
	// bareUpdates makes the bare handler for Slack change the message that was pressed.
	bareUpdates = "MATURITYBOT_BARE_UPDATES"

	bareSlack   = "bare on slack"
	leanSlack   = "lean on slack"
	bareDiscord = "bare on discord"
	leanDiscord = "lean on discord"
)

// serveBare serves the bare handler that the environment names.
func serveBare() {
	runtime.MemProfileRate = 0 // as in a program without profiles, such as the bot
	o, err := goredis.ParseURL(os.Getenv("REDIS_URL"))
	fatal(err)
	source, err := os.ReadFile("../../adapters/redis/lua/write_response.lua")
	fatal(err)
	h := bareServer{
		client: goredis.NewClient(o),
		script: goredis.NewScript(string(source)),
		web:    &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
	}
	h.secret, err = h.client.Get(context.Background(), "secret:{"+benchRound+"}").Bytes()
	fatal(err)
	handle := map[string]http.HandlerFunc{
		bareSlack: h.bareSlack, leanSlack: h.leanSlack,
		bareDiscord: h.bareDiscord, leanDiscord: h.leanDiscord,
	}[os.Getenv(bareHandler)]
	fatal(http.ListenAndServe(os.Getenv(bareAddress), handle))
}

// bareServer is what the bare handlers use.
type bareServer struct {
	client *goredis.Client
	script *goredis.Script
	secret []byte
	web    *http.Client
}

// keep keeps the answer that a button asks for.
func (h bareServer) keep(ctx context.Context, person, button, event string, madeMicro int64) {
	words := strings.Split(button, ":")
	pseudonym := survey.Pseudonym(h.secret, survey.PersonID(person))
	key := "{" + benchRound + "}"
	keys := []string{
		"round:" + key, "secret:" + key, "response:" + key + ":" + pseudonym,
		"operation_times:" + key, "operation_times:" + key + ":earlier",
	}
	reply, err := h.script.Run(ctx, h.client, keys, time.Now().Unix(),
		"answer "+words[2]+" "+event, "answer "+words[2], madeMicro, survey.DoubleTap.Microseconds(),
		words[2], words[3]).Slice()
	fatal(err)
	if reply[0] != "done" {
		fatal(fmt.Errorf("the script says %v", reply[0]))
	}
}

// Cards of fixed text, as each platform takes them.
var (
	bareText        = strings.Repeat("x", 2000)
	bareSlackCard   = []byte(`{"replace_original":true,"text":"` + bareText + `"}`)
	bareDiscordCard = []byte(`{"type":7,"data":{"flags":32768,"components":[{"type":10,"content":"` + bareText + `"}]}}`)
)

// update changes a message in Slack, without keeping its acknowledgement waiting.
func (h bareServer) update(responseURL string) {
	go func() {
		answer, err := h.web.Post(responseURL, "application/json", bytes.NewReader(bareSlackCard))
		fatal(err)
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}()
}

func (h bareServer) bareSlack(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fatal(err)
	v, err := slackgo.NewSecretsVerifier(r.Header, benchSecret)
	fatal(err)
	_, err = v.Write(body)
	fatal(err)
	fatal(v.Ensure())
	r.Body = io.NopCloser(bytes.NewReader(body))
	p, err := slackgo.InteractionCallbackParse(r)
	fatal(err)
	pressed := p.ActionCallback.BlockActions[0]
	h.keep(r.Context(), "slack:"+p.Team.ID+":"+p.User.ID, pressed.ActionID, p.TriggerID, micro(pressed.ActionTs))
	if os.Getenv(bareUpdates) == "" {
		return
	}
	go func() { // the acknowledgement does not wait
		text := slackgo.NewTextBlockObject(slackgo.MarkdownType, bareText, false, false)
		card := &slackgo.WebhookMessage{
			ReplaceOriginal: true, Text: "card",
			Blocks: &slackgo.Blocks{BlockSet: []slackgo.Block{slackgo.NewSectionBlock(text, nil, nil)}},
		}
		fatal(slackgo.PostWebhookCustomHTTPContext(context.Background(), p.ResponseURL, h.web, card))
	}()
}

// micro reads a time as Slack writes it.
func micro(seconds string) int64 {
	made, err := strconv.ParseFloat(seconds, 64)
	fatal(err)
	return int64(made * 1e6)
}

func (h bareServer) leanSlack(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fatal(err)
	mac := hmac.New(sha256.New, []byte(benchSecret))
	_, _ = io.WriteString(mac, "v0:"+r.Header.Get("X-Slack-Request-Timestamp")+":")
	_, _ = mac.Write(body)
	signed, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Slack-Signature"), "v0="))
	fatal(err)
	if !hmac.Equal(signed, mac.Sum(nil)) {
		fatal(errForeignSignature)
	}
	payload, err := url.QueryUnescape(strings.TrimPrefix(string(body), "payload="))
	fatal(err)
	type named struct {
		ID string `json:"id"`
	}
	var p struct {
		Trigger string `json:"trigger_id"`
		URL     string `json:"response_url"`
		User    named  `json:"user"`
		Team    named  `json:"team"`
		Actions []struct {
			ID string `json:"action_id"`
			At string `json:"action_ts"`
		} `json:"actions"`
	}
	fatal(json.Unmarshal([]byte(payload), &p))
	h.keep(r.Context(), "slack:"+p.Team.ID+":"+p.User.ID, p.Actions[0].ID, p.Trigger, micro(p.Actions[0].At))
	h.update(p.URL)
}

var errForeignSignature = errors.New("the signature is not the benchmark's")

func (h bareServer) bareDiscord(w http.ResponseWriter, r *http.Request) {
	if !discordgo.VerifyInteraction(r, benchKey.Public().(ed25519.PublicKey)) {
		fatal(errForeignSignature)
	}
	body, err := io.ReadAll(r.Body)
	fatal(err)
	var i discordgo.Interaction
	fatal(json.Unmarshal(body, &i))
	h.discord(w, r, i.ID, i.Member.User.ID, i.MessageComponentData().CustomID)
}

func (h bareServer) leanDiscord(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fatal(err)
	signature, err := hex.DecodeString(r.Header.Get("X-Signature-Ed25519"))
	fatal(err)
	signed := append([]byte(r.Header.Get("X-Signature-Timestamp")), body...)
	if !ed25519.Verify(benchKey.Public().(ed25519.PublicKey), signed, signature) {
		fatal(errForeignSignature)
	}
	var p struct {
		ID     string `json:"id"`
		Member struct {
			User struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"member"`
		Data struct {
			ID string `json:"custom_id"`
		} `json:"data"`
	}
	fatal(json.Unmarshal(body, &p))
	h.discord(w, r, p.ID, p.Member.User.ID, p.Data.ID)
}

// discord keeps the answer, and answers with the card.
func (h bareServer) discord(w http.ResponseWriter, r *http.Request, id, user, button string) {
	made, err := discordgo.SnowflakeTimestamp(id)
	fatal(err)
	h.keep(r.Context(), "discord::"+user, button, id, made.UnixMicro())
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(bareDiscordCard)
}

// contestant is a process that answers presses, with what it did in a contest.
type contestant struct {
	*pressing
	name       string
	pid        int
	stop       func() time.Duration // ends it, and returns the processor time that it took
	operations string               // where the bot serves its metrics
	rate       float64              // answers a second
	cpu        time.Duration        // that its process took
	presses    float64
}

// startBare starts a bare handler.
func startBare(
	b testing.TB, name, handler string, environment []string, press func(address string) *pressing,
) *contestant {
	b.Helper()
	address := redistest.FreeAddr(b)
	cmd := osexec.Command(os.Args[0])
	cmd.Env = append(environment, bareAddress+"="+address, bareHandler+"="+handler)
	process(b, address, cmd)
	return &contestant{name: name, pressing: press(address), pid: cmd.Process.Pid}
}

// profiles makes the bot of a benchmark write its profiles.
var profiles = flag.String("profiles", "",
	"a folder to write the CPU and allocation profiles of a benchmark's bot to")

// profileFolder is where a bot that is the test's own program writes its profiles when it ends.
const profileFolder = "MATURITYBOT_TEST_PROFILES"

// startBot starts the bot, and returns how long it took to listen.
func startBot(
	b testing.TB, program string, environment []string, press func(address string) *pressing,
) (*contestant, time.Duration) {
	b.Helper()
	address, operations := redistest.FreeAddr(b), redistest.FreeAddr(b)
	cmd := osexec.Command(program, "serve")
	cmd.Env = append(environment, "LISTEN="+address, "OPS_LISTEN="+operations)
	if *profiles != "" {
		cmd.Path = os.Args[0]
		folder := filepath.Join(*profiles, b.Name())
		if err := os.MkdirAll(folder, 0o755); err != nil {
			b.Fatal(err)
		}
		cmd.Env = append(cmd.Env, serveProcess+"=1", profileFolder+"="+folder)
	}
	took := process(b, address, cmd)
	if *profiles != "" {
		b.Cleanup(func() { // before process kills it
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		})
	}
	return &contestant{
		name: "bot", pressing: press(address), pid: cmd.Process.Pid, stop: stopping(cmd),
		operations: operations,
	}, took
}

// stopping returns a function that ends a process, and returns the processor time that it took.
func stopping(cmd *osexec.Cmd) func() time.Duration {
	return func() time.Duration {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
}

// serveProfiled serves until SIGTERM, and writes profiles if the environment names a folder.
func serveProfiled(s system) int {
	folder := os.Getenv(profileFolder)
	if folder == "" {
		return run(context.Background(), []string{"serve"}, s)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	runtime.MemProfileRate = 16 << 10
	cpu, err := os.Create(filepath.Join(folder, "cpu.pprof"))
	fatal(err)
	fatal(pprof.StartCPUProfile(cpu))
	code := run(ctx, []string{"serve"}, s)
	pprof.StopCPUProfile()
	fatal(cpu.Close())
	memory, err := os.Create(filepath.Join(folder, "allocs.pprof"))
	fatal(err)
	fatal(pprof.Lookup("allocs").WriteTo(memory, 0))
	fatal(memory.Close())
	return code
}

// BenchmarkStart measures how long after the start of its process the bot acknowledges the first press,
// and how much processor time that takes.
func BenchmarkStart(b *testing.B) {
	program, _, environment, elements := benched(b, "slack:"+benchTeam+":ULEAD",
		"slack:"+benchTeam+":C1", slackPerson)
	api, _ := slackStub(b)
	press := func(address string) *pressing {
		return newPressing(slackPress(address, api.URL+"/respond/1", elements))
	}
	var took, cpu []time.Duration
	for b.Loop() {
		began := time.Now()
		bot, _ := startBot(b, program, append(environment, onStub(api)...), press)
		if _, err := bot.one(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
		cpu = append(cpu, bot.stop())
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return all[len(all)/2].Seconds() * 1000
	}
	b.ReportMetric(median(took), "ms-to-first-ack")
	b.ReportMetric(median(cpu), "CPU-ms")
	b.ReportMetric(0, "ns/op")
}

// contest lets people press each contestant in turn, so that what else the machine does meets all of
// them, and reports the rates, the bot's share of each of the others' rates, what each takes, and how
// fast it acknowledges at half of the bot's rate.
func contest(b *testing.B, bot *contestant, others ...*contestant) {
	b.Helper()
	// The callers have the contestants' two processors, so they collect garbage rarely.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	all := append(others, bot)
	for _, c := range all {
		c.flood(b, floods()/6) // opens connections
		c.rate, c.cpu, c.presses = 0, 0, 0
	}
	// The bot asks the platform for a person's profile once.
	for !testing.Short() && bot.serial.Load() < active {
		bot.flood(b, floods()/6)
	}
	const turns = 3
	var allocated float64
	for range turns {
		for _, c := range all {
			pressed, cpu, bytes := c.serial.Load(), c.processorTime(b), bot.allocated(b)
			c.rate += c.flood(b, floods()) / turns
			c.presses += float64(c.serial.Load() - pressed)
			c.cpu += c.processorTime(b) - cpu
			if c == bot {
				allocated += bot.allocated(b) - bytes
			}
		}
	}
	b.ReportMetric(bot.rate, "answers/s")
	b.ReportMetric(bot.cpu.Seconds()*1e6/bot.presses, "CPU-us")
	b.ReportMetric(allocated/1000/bot.presses, "KB-allocated")
	for _, c := range others {
		b.ReportMetric(c.rate, c.name+"/s")
		b.ReportMetric(c.cpu.Seconds()*1e6/c.presses, c.name+"-CPU-us")
		b.ReportMetric(bot.rate/c.rate, "of-"+c.name)
		b.ReportMetric(milliseconds(c.steady(b, bot.rate/2, 2*floods())), c.name+"-p99-ms-at-half")
	}
	b.ReportMetric(milliseconds(bot.steady(b, bot.rate/2, 2*floods())), "p99-ms-at-half")
	b.ReportMetric(resident(b, bot.pid), "MiB-resident")
	b.ReportMetric(0, "ns/op")
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// processorTime returns how much processor time the contestant has taken.
func (c *contestant) processorTime(b testing.TB) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	if err != nil {
		return 0 // not Linux
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // after the name of the program
	fields := strings.Fields(string(rest))
	var ticks int
	for _, field := range fields[11:13] { // in the user's and the system's name
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

// allocated returns how many bytes the bot has allocated.
func (c *contestant) allocated(b testing.TB) float64 {
	b.Helper()
	answer, err := http.Get("http://" + c.operations + "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\ngo_memstats_alloc_bytes_total ")
	number, _, _ := strings.Cut(rest, "\n")
	bytes, err := strconv.ParseFloat(number, 64)
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}
