package survey

import "cmp"

// NoticeVersion names what the privacy notice says in a round that is opened now. Change it
// whenever the meaning of the notice changes, and keep the text of the version before for rounds
// that were opened with it.
const NoticeVersion = "2026-11.4"

// noticeBeforePanel is the version before, which does not name the panel. Rounds opened with it
// hold no version.
const noticeBeforePanel = "2026-11.3"

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
