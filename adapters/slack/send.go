package slack

import (
	"context"
	"errors"
	"fmt"

	slackgo "github.com/slack-go/slack"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
)

// isNotMember returns true for an error which says that the bot is not in a conversation.
func isNotMember(err error) bool {
	return code(err) == "not_in_channel" || code(err) == "channel_not_found"
}

// direct sends a card to a person's own conversation with the bot.
func (s *Slack) direct(ctx context.Context, to chat.Person, card chat.Card) error {
	_, err := s.postMessage(ctx, to.ID, card)
	return err
}

// directWithLink sends a card to a person's own conversation with the bot, and returns a link to
// it. Slack's clients follow a permalink themselves, also on phones. If Slack gives none, the card
// is delivered without one.
func (s *Slack) directWithLink(
	ctx context.Context, to chat.Person, card chat.Card,
) chat.Delivered {
	posted, err := s.postMessage(ctx, to.ID, card)
	if err != nil {
		return chat.Delivered{Err: err}
	}
	var delivered chat.Delivered
	err = s.client.call(ctx, "chat.getPermalink", true, func(ctx context.Context) (err error) {
		delivered.URL, err = s.client.api.GetPermalinkContext(ctx, &posted)
		return err
	})
	if err != nil {
		s.log.Warn("no link to a card", "error", err)
	}
	return delivered
}

// postMessage sends a card to a channel, or to a user by their id, at the pace of replies. It
// returns the channel and the timestamp of the message.
func (s *Slack) postMessage(
	ctx context.Context, to string, card chat.Card,
) (posted slackgo.PermalinkParameters, err error) {
	text, drawn, err := draw(card)
	if err != nil {
		return posted, err
	}
	if err := s.replies.wait(ctx, to); err != nil {
		return posted, fmt.Errorf("wait to send a card: %w", err)
	}
	post := func(ctx context.Context) (err error) {
		posted.Channel, posted.Ts, err = s.client.api.PostMessageContext(
			ctx, to, messageOptions(text, drawn),
		)
		return err
	}
	err = s.client.callIn(ctx, "chat.postMessage", to, false, post)
	return posted, err
}

// draw returns the parts of a message: its text, which screen readers and notifications use, and
// its blocks.
func draw(card chat.Card) (string, []slackgo.Block, error) {
	drawn, err := blocks(card, chat.MaxBlocks)
	return speech(card), drawn, err
}

// messageOptions returns a message in which Slack looks for no links, names or markup.
func messageOptions(text string, drawn []slackgo.Block) slackgo.MsgOption {
	return slackgo.MsgOptionCompose(
		slackgo.MsgOptionText(text, false),
		slackgo.MsgOptionBlocks(drawn...),
		slackgo.MsgOptionDisableMarkdown(),
		slackgo.MsgOptionDisableLinkUnfurl(),
		slackgo.MsgOptionDisableMediaUnfurl(),
		slackgo.MsgOptionParse(false),
		slackgo.MsgOptionLinkNames(false),
	)
}

// post shows a card, with files, to everybody in a channel, or to a user by their id. The files are
// uploaded before the card appears, so that they follow it at once. If some files are missing, post
// returns a *chat.MissingFilesError, and the card stands. After any other error there is no card,
// or this is not known.
func (s *Slack) post(
	ctx context.Context, in inbound, to string, card chat.Card, files []chat.File,
) error {
	if err := s.posts.wait(ctx, to); err != nil {
		return fmt.Errorf("wait to post: %w", err)
	}
	var uploaded []slackgo.FileSummary
	var missing []string
	var cause error
	for _, f := range files {
		id, err := s.upload(ctx, f)
		if err != nil {
			missing = append(missing, f.Name)
			cause = err
			continue
		}
		uploaded = append(uploaded, slackgo.FileSummary{ID: id, Title: f.Name})
	}
	posted, err := s.postMessage(ctx, to, card)
	if isNotMember(err) {
		return s.postByURL(ctx, in, to, card, files, err)
	}
	if err != nil {
		return err
	}
	if len(uploaded) == 0 {
		return platform.WithoutFiles(missing, cause)
	}
	if err := s.attach(ctx, posted.Channel, uploaded); err != nil {
		cause = err
		for _, f := range uploaded {
			missing = append(missing, f.Title)
		}
	}
	return platform.WithoutFiles(missing, cause)
}

// postByURL posts a card without files through the response URL of an event, which works in
// channels that the bot is not in. It returns the error of the first attempt if there is no such
// URL.
func (s *Slack) postByURL(
	ctx context.Context, in inbound, to string, card chat.Card, files []chat.File, failed error,
) error {
	if in.origin.URL == "" || in.origin.Private || in.origin.Channel != to || len(files) > 0 {
		return failed
	}
	text, drawn, err := draw(card)
	if err != nil {
		return err
	}
	body, err := encodeResponse(response{Type: "in_channel", Text: text, Blocks: drawn})
	if err != nil {
		return err
	}
	return s.client.respond(ctx, in.origin, body, false)
}

// attach shows uploaded files in a channel. They belong to a card that is there already, so that
// the end of the program does not keep them from it.
func (s *Slack) attach(ctx context.Context, channel string, files []slackgo.FileSummary) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxRetryAfter)
	defer cancel()
	complete := func(ctx context.Context) error {
		_, err := s.client.api.CompleteUploadExternalContext(
			ctx, slackgo.CompleteUploadExternalParameters{Files: files, Channel: channel},
		)
		return err
	}
	return s.client.call(ctx, "files.completeUploadExternal", false, complete)
}

// upload brings a file to Slack, where nobody sees it yet, and returns its id.
func (s *Slack) upload(ctx context.Context, f chat.File) (id string, err error) {
	var target *slackgo.GetUploadURLExternalResponse
	reserve := func(ctx context.Context) (err error) {
		target, err = s.client.api.GetUploadURLExternalContext(
			ctx, slackgo.GetUploadURLExternalParameters{
				FileName: f.Name, FileSize: len(f.Data), AltTxt: f.Alt,
			},
		)
		return err
	}
	if err := s.client.call(ctx, "files.getUploadURLExternal", true, reserve); err != nil {
		return "", err
	}
	return target.FileID, s.client.upload(ctx, target.UploadURL, f.Data)
}

// Send sends a card to a person's own conversation with the bot, at the pace of messages that
// nobody asked for. Slack does not recognise a message that is sent again, so that the id is not
// used. The end of the context ends the wait, and no message half-way.
func (s *Slack) Send(ctx context.Context, _ string, to chat.Person, card chat.Card) error {
	if err := s.bulk.wait(ctx, to.ID); err != nil {
		return fmt.Errorf("wait to send: %w", err)
	}
	return s.classify(s.direct(ctx, to, card))
}

// Post shows a card, with files, to everybody in a place, at the pace of a channel. The id is not
// used, as in Send.
func (s *Slack) Post(
	ctx context.Context, _ string, to chat.Place, card chat.Card, files []chat.File,
) error {
	err := s.post(ctx, inbound{}, to.Channel, card, files)
	if _, stands := errors.AsType[*chat.MissingFilesError](err); stands {
		return err
	}
	return s.classify(err)
}

// classify marks the error of a message that nobody asked for, if trying again is of no use. It
// logs what only an admin of the workspace can correct.
func (s *Slack) classify(err error) error {
	switch code(err) {
	case "":
	case "user_disabled", "user_not_found", "users_not_found", "user_not_visible", "cannot_dm_bot":
		return fmt.Errorf("send a message: %w: %w", chat.ErrUnreachable, err)
	case "messages_tab_disabled":
		s.log.Error("the bot cannot send direct messages: switch on the Messages Tab under App Home "+
			"at api.slack.com/apps", "error", err)
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive",
		"missing_scope", "no_permission":
		s.log.Error("slack does not let the bot send messages: install the app again at "+
			"api.slack.com/apps, and check the bot token and its scopes", "error", err)
	}
	if err != nil {
		return fmt.Errorf("send a message: %w", cannotPost(err))
	}
	return nil
}

// cannotPost turns an error which says that the bot cannot post in a channel into a
// *chat.CannotPostError with the reason. Other errors stay as they are.
func cannotPost(err error) error {
	if _, stands := errors.AsType[*chat.MissingFilesError](err); stands {
		return err
	}
	switch code(err) {
	// Slack does not admit that a private channel exists which the bot is not in.
	case "channel_not_found", "not_in_channel":
		return &chat.CannotPostError{Reason: chat.NotMember, Err: err}
	case "is_archived":
		return &chat.CannotPostError{Reason: chat.Archived, Err: err}
	case "restricted_action", "restricted_action_read_only_channel",
		"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel",
		"posting_to_channel_denied":
		return &chat.CannotPostError{Reason: chat.Restricted, Err: err}
	}
	return err
}
