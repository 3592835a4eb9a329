package survey

import "cmp"

// NoticeVersion names what the privacy notice says in a round that is opened now. Change it
// whenever the meaning of the notice changes, and keep the text of the version before for rounds
// that were opened with it.
const NoticeVersion = "2026-11.5"

// Former versions of the notice.
const (
	// noticeBeforePanel does not name the panel. Rounds opened with it hold no version.
	noticeBeforePanel = "2026-11.3"
	// noticeBeforeLimits does not say that the people who run the bot could find out whose answers
	// are whose while a survey is open, what backups hold, and what can be seen of a role.
	noticeBeforeLimits = "2026-11.4"
)

// linkNotice follows the version that a person accepted who takes part by link: they are told other
// things of how they are known.
const linkNotice = "-link"

// NoticeVersion returns the version of the privacy notice that the round's participants are shown.
// It is fixed when the round is opened, so that all who take part in it are told the same.
func (r Round) NoticeVersion() string {
	if r.State == Draft {
		return NoticeVersion
	}
	return cmp.Or(r.Notice, noticeBeforePanel)
}

// NoticeNamesPanel reports whether the participants are told that a panel and a national report may
// use the results. Only then may survey figures be passed on to a panel.
func (r Round) NoticeNamesPanel() bool { return r.NoticeVersion() != noticeBeforePanel }

// NoticeStatesLimits reports whether the participants are told the limits of what protects their
// answers: those that SECURITY.md states.
func (r Round) NoticeStatesLimits() bool {
	version := r.NoticeVersion()
	return version != noticeBeforePanel && version != noticeBeforeLimits
}
