package survey

import (
	"context"

	"maturitybot/survey/audit"
)

// AllowOpenLink makes the open link, or changes how many people it may let in. Those who came
// already count. It returns an *InputError for a maximum that is not allowed.
func (c LinkCoordinator) AllowOpenLink(
	ctx context.Context, id RoundID, maximum int,
) (Round, error) {
	err := c.changeOpenLink(ctx, id, audit.OpenLinkMade, func(l *Link) error {
		switch {
		case maximum < 1 || maximum > MaxByOpenLink:
			return &InputError{Field: "maximum", Reason: "range", Limit: MaxByOpenLink}
		case l.Hash != "" && l.Maximum == maximum:
			return errUnchanged
		}
		if l.Hash == "" {
			key, err := c.linkKeys.newest()
			if err != nil {
				return err
			}
			*l = key.newLink(id)
		}
		l.Maximum = maximum
		return nil
	})
	if err != nil {
		return Round{}, err
	}
	return c.Round(ctx, id)
}

// ReplaceOpenLink makes a new open link. The old one then leads nowhere, and people who came by it
// go on with their return codes. It returns ErrNoLink where there is no open link.
func (c LinkCoordinator) ReplaceOpenLink(ctx context.Context, id RoundID) error {
	return c.changeOpenLink(ctx, id, audit.OpenLinkReplaced, func(l *Link) error {
		if l.Hash == "" {
			return ErrNoLink
		}
		key, err := c.linkKeys.newest()
		if err != nil {
			return err
		}
		maximum := l.Maximum
		*l = key.newLink(id)
		l.Maximum = maximum
		return nil
	})
}

// CloseOpenLink makes the open link lead nowhere. People who came by it go on with their return
// codes. Closing again changes nothing.
func (c LinkCoordinator) CloseOpenLink(ctx context.Context, id RoundID) error {
	return c.changeOpenLink(ctx, id, audit.OpenLinkClosed, func(l *Link) error {
		if l.Hash == "" {
			return errUnchanged
		}
		*l = Link{}
		return nil
	})
}

// changeOpenLink applies edit to the open link and saves it.
func (c LinkCoordinator) changeOpenLink(
	ctx context.Context, id RoundID, act audit.Action, edit func(*Link) error,
) error {
	pick := func(links Links) (Link, error) { return links.Open, nil }
	edited := func(l *Link) ([]audit.Change, error) {
		before := l.Maximum
		if err := edit(l); err != nil {
			return nil, err
		}
		if l.Hash == "" || before == l.Maximum {
			return nil, nil
		}
		return []audit.Change{{
			Field: audit.FieldMaximum, Old: number(before), New: number(l.Maximum),
		}}, nil
	}
	_, _, err := c.saveLink(ctx, id, act, pick, edited)
	return ignoreUnchanged(err)
}

// OpenLinkToken returns the token of the open link, for a poster, and records that the coordinator
// asked. It returns ErrNoLink where there is no open link, and ErrOldLink where it must be replaced.
func (c LinkCoordinator) OpenLinkToken(ctx context.Context, id RoundID) (Round, string, error) {
	round, links, err := c.linksOf(ctx, id)
	if err == nil {
		err = c.answering(round)
	}
	if err != nil {
		return round, "", err
	}
	if links.Open.Hash == "" {
		return round, "", ErrNoLink
	}
	key, known := c.linkKeys.of(links.Open.Key)
	if !known {
		return round, "", ErrOldLink
	}
	err = System{c.core}.Audit(ctx, id, c.person, audit.PosterMade)
	return round, key.token(id, links.Open.Seed), err
}
