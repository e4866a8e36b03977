"""Which of our own events is meant by a name that is none of them.

A club records events of any name, so only what is nearly ours can be told from what is its own.
"""

from crm_store.event_names import RECORDED_HERE, TOLD_AFTERWARDS
from triggers.problems import nearest

_OURS = (*RECORDED_HERE, *TOLD_AFTERWARDS)
_NEARLY_THE_SAME = 0.9
"""So near are `membership_canceled` and `membership_cancelled`; `membership_renewal` is not."""
_ENDINGS = frozenset(
    [
        *("", "s", "e", "d", "ed", "ing", "al", "als", "ion", "ation", "y", "ure"),
        *("led", "ling", "lation", "t", "ted", "tted", "ssion"),
    ]
)
"""What may stand behind the stem: renew-ed, renew-al; submi-tted, submi-ssion."""
_STEM = 4
"""A stem has at least so many letters."""


def misspelt(name: str) -> str | None:
    """The event of ours of which `name` is a misspelling."""
    near = nearest(name, RECORDED_HERE, cutoff=_NEARLY_THE_SAME)
    return near if name not in _OURS else None


def in_other_words(name: str) -> str | None:
    """The event of ours that `name` says in another form: `membership_renewal`, `cancelled`.

    The words may stand in another order; one word alone is the last of a single event's.
    """
    if name in _OURS:
        return None
    mine = name.split("_")
    meant = [ours for ours in _OURS if _says(mine, ours.split("_"))]
    return meant[0] if len(meant) == 1 else None


def _says(mine: list[str], theirs: list[str]) -> bool:
    if len(mine) == 1:
        return _is_a_form_of(mine[0], theirs[-1])
    return len(mine) == len(theirs) and all(
        any(_is_a_form_of(one, other) for one in mine) for other in theirs
    )


def _is_a_form_of(one: str, other: str) -> bool:
    """Whether two words differ in their endings alone."""
    shorter = min(len(one), len(other))
    return one == other or any(
        one[:stem] == other[:stem] and one[stem:] in _ENDINGS and other[stem:] in _ENDINGS
        for stem in range(_STEM, shorter + 1)
    )
