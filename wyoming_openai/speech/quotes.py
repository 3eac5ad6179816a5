"""Quotes around a whole reply, as some models put them."""

_CLOSING = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", "‘": "’", "'": "'"}


class OuterQuotes:
    """Takes the quotes off that stand around the reply, and leaves those around a part of it."""

    def __init__(self) -> None:
        self._closing = ""
        """The marks of which one closes the quote that was opened before."""

    def strip(self, spoken: str, opening: bool, more: bool) -> str:
        """The stretch without them; `opening` if it begins the reply, `more` if its line goes on after it."""
        if self._closing:
            return self._without_closing(spoken)
        closing = _CLOSING.get(spoken[:1], "") if opening else ""
        if not closing or _closes_inside(spoken, closing):
            return spoken
        if spoken[-1:] in closing and len(spoken) > 1:
            return spoken if more else spoken[1:-1]
        if spoken[0] == "'":
            return spoken  # 'Tis the season
        self._closing = closing
        return spoken[1:]

    def _without_closing(self, spoken: str) -> str:
        for mark in self._closing:
            position = spoken.rfind(mark)
            unpaired = spoken.count(mark) % 2 if mark == '"' else position >= 0
            if position >= 0 and unpaired and not spoken[position + 1 : position + 2].isalnum():
                self._closing = ""
                return spoken[:position] + spoken[position + 1 :]
        return spoken


def _closes_inside(spoken: str, closing: str) -> bool:
    """Whether the quote that begins the stretch ends before it does: `"A" and "B"`, but not `"He said "A" then"`."""
    opened, inside = spoken[0], spoken[1:-1]
    first = min((inside.find(mark) for mark in closing if mark in inside), default=-1)
    if first < 0:
        return False
    nested = inside[:first].endswith(" ") if opened in closing else 0 <= inside.find(opened) < first
    return not (nested and spoken[-1:] in closing)
