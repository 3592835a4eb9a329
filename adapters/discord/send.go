package discord

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bwmarrin/discordgo"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
)

const (
	// defaultDMInterval is the default of Options.ColdEvery. Bots were quarantined after they had
	// opened 25 to 40 conversations in a row; Discord publishes no figure. Twenty a minute, to
	// people who have begun a survey or asked for messages, stays below that.
	defaultDMInterval = 3 * time.Second
	// dmCooldown is the wait after Discord says that conversations are opened too fast.
	dmCooldown = time.Minute
	// maxDMAttempts is how often Send tries to open one conversation then.
	maxDMAttempts = 3
	// dmBucket is the rate limit of opening conversations.
	dmBucket = "users/@me/channels"
	// maxNonce is the longest nonce of a message, in characters.
	maxNonce = 25
	// errCodeNoSharedServer is Discord's error code for a user who shares no server with the bot.
	// discordgo has no name for it.
	errCodeNoSharedServer = 50278
)

// errNoAnswer is the error of a message with a nonce whose answer was lost. Within minutes it can
// be sent again, and arrives once.
var errNoAnswer = errors.New("no answer; sent again under its name it arrives once")

// refusesFiles returns true if Discord may take the message without its files: they are too large,
// or the bot may not attach any.
func refusesFiles(err error) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && (e.status == http.StatusRequestEntityTooLarge ||
		e.code == discordgo.ErrCodeRequestEntityTooLarge ||
		e.code == discordgo.ErrCodeMissingPermissions)
}

// missingFiles returns what became of a card that was sent again without the files that Discord had
// refused: the error of the second time, or else a *chat.MissingFilesError.
func missingFiles(files []chat.File, refused, again error) error {
	if again != nil {
		return again
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return platform.WithoutFiles(names, refused)
}

// Post shows a card, with files, to everybody in a place, of which only the channel matters. If it
// is called again with the same id within a few minutes, the message arrives once. It returns
// chat.ErrUnreachable, or another error if the message was not posted and may be tried again.
func (d *Discord) Post(
	ctx context.Context, id string, to chat.Place, card chat.Card, files []chat.File,
) error {
	return retryableByNonce(d.post(ctx, id, to, card, files))
}

func (d *Discord) post(
	ctx context.Context, id string, to chat.Place, card chat.Card, files []chat.File,
) error {
	if _, ok := snowflake(to.Channel); !ok || to.Platform != Platform {
		return errors.New("post a card: not a place in Discord")
	}
	err := d.postOnce(ctx, id, to, card, files)
	if len(files) > 0 && refusesFiles(err) {
		err = missingFiles(files, err, d.postOnce(ctx, id, to, card, nil))
	}
	if err != nil {
		d.mu.Lock()
		delete(d.rightsCache, to.Channel) // they may be wrong by now
		d.mu.Unlock()
		return fmt.Errorf("post a card: %w", cannotPost(err))
	}
	return nil
}

func (d *Discord) postOnce(
	ctx context.Context, id string, to chat.Place, card chat.Card, files []chat.File,
) error {
	m, err := message(card, false, files)
	if err != nil {
		return err
	}
	m.Nonce = nonce(id)
	m.EnforceNonce = true
	return d.client.send(ctx, to.Channel, m, files)
}

// send posts a message with a nonce to a channel. It may be tried again: Discord recognises a nonce
// for a few minutes (resources/message.mdx, enforce_nonce).
func (c *client) send(
	ctx context.Context, channel string, m messageBody, files []chat.File,
) error {
	path := "channels/" + channel + "/messages"
	var made struct {
		ID string `json:"id"`
	}
	err := c.do(ctx, request{
		what: "send a message", method: http.MethodPost, path: path, bucket: path,
		body: m, files: files, deduplicated: m.EnforceNonce,
	}, &made)
	if err != nil {
		return err
	}
	if _, ok := snowflake(made.ID); !ok { // something between here and Discord answered
		return errors.New("send a message: what answers is not Discord")
	}
	return nil
}

// nonce returns the id of a message as Discord takes it. Without an id, it is a random one.
func nonce(id string) string {
	switch {
	case id == "":
		return rand.Text()[:maxNonce]
	case len(id) <= maxNonce:
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])[:maxNonce]
}

// Send sends a card to a person's own conversation with the bot, at most one in Options.ColdEvery.
// If it is called again with the same id within a few minutes, the message arrives once. It returns
// chat.ErrNoConsent for a person who has not consented to direct messages.
func (d *Discord) Send(ctx context.Context, id string, to chat.Person, card chat.Card) error {
	if _, ok := snowflake(to.ID); !ok || to.Platform != Platform {
		return fmt.Errorf("send a card: not a person in Discord: %w", chat.ErrUnreachable)
	}
	m, err := message(card, false, nil)
	if err != nil {
		return fmt.Errorf("send a card: %w", err)
	}
	if err := d.options.checkConsent(ctx, to); err != nil {
		return fmt.Errorf("send a card: %w", err)
	}
	m.Nonce = nonce(id)
	m.EnforceNonce = true
	for try := 1; ; try++ {
		if err := d.dmLimiter.Wait(ctx); err != nil {
			return fmt.Errorf("wait to send a card: %w", err)
		}
		err = retryableByNonce(d.client.openAndSend(ctx, to.ID, m))
		tooFast := code(err) == discordgo.ErrCodeOpeningDirectMessagesTooFast
		if !tooFast || try == maxDMAttempts {
			break
		}
		d.log.Warn("discord limits new direct messages", "wait", dmCooldown)
		d.client.caller.Holds.Add(dmBucket, dmCooldown)
	}
	switch code(err) {
	case discordgo.ErrCodeCannotSendMessagesToThisUser, errCodeNoSharedServer,
		discordgo.ErrCodeUnknownUser, discordgo.ErrCodeInvalidRecipients:
		return fmt.Errorf("send a card: %w: %w", chat.ErrUnreachable, err)
	}
	if err != nil {
		return fmt.Errorf("send a card: %w", err)
	}
	return nil
}

// checkConsent returns chat.ErrNoConsent for a person who has not consented to direct messages.
func (o Options) checkConsent(ctx context.Context, to chat.Person) error {
	if o.ConsentsToDM == nil {
		return nil
	}
	consents, err := o.ConsentsToDM(ctx, to)
	if err != nil {
		return fmt.Errorf("ask whether they consent: %w", err)
	}
	if !consents {
		return chat.ErrNoConsent
	}
	return nil
}

// retryableByNonce turns chat.ErrUnsure into errNoAnswer, for a message with a nonce.
func retryableByNonce(err error) error {
	if errors.Is(err, chat.ErrUnsure) {
		return errNoAnswer
	}
	return err
}

// openAndSend opens a user's conversation with the bot, and sends a message there.
func (c *client) openAndSend(ctx context.Context, user string, m messageBody) error {
	var conversation struct {
		ID string `json:"id"`
	}
	// A conversation that is opened again is the same one (resources/user.mdx).
	err := c.do(ctx, request{
		what: "open a conversation", method: http.MethodPost,
		path: "users/@me/channels", bucket: dmBucket,
		body: map[string]string{"recipient_id": user}, deduplicated: true,
	}, &conversation)
	if errors.Is(err, chat.ErrUnsure) {
		return errors.New("open a conversation: no answer") // the message was not sent
	}
	if err != nil {
		return err
	}
	if _, ok := snowflake(conversation.ID); !ok {
		return errors.New("open a conversation: no channel")
	}
	return c.send(ctx, conversation.ID, m, nil)
}
