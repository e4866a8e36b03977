"""Whole files that hold one example of the reference page each."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from triggers.actions import ACTIONS
from triggers.model_reference import Key, Part, Path
from triggers.reference import SMALLEST

_KINDS = (*ACTIONS, "choose", "split")
"""What a step does: one of these."""
_INSTEAD: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("Date", "holiday"): {"type": "date", "country": "IN"},
    ("Date", "country"): {"type": "date", "holiday": "Diwali"},
    ("Inactivity", "below"): {"type": "inactivity"},
    ("Branch", "else"): {"email": "renewal/recap"},
    ("Step", "wait_for"): {"on_timeout": SMALLEST["Action"]},
    ("Step", "on_timeout"): {"wait_for": {"event": "link_clicked", "timeout": "24h"}},
    ("Action", "fallback"): {"sms": "renewal/last_day"},
    ("Action", "coupon"): {"email": "renewal/offer"},
    ("ScoreRule", "where"): {"points": 5},
}
"""What a key has to stand beside, where it is not the part's smallest form."""
_CAMPAIGN: Mapping[str, Any] = {
    "campaign": "membership-renewal",
    "name": "Membership renewal",
    "topic": "renewals",
    "trigger": {"type": "membership_expiring"},
    "steps": [SMALLEST["Step"]],
}


def file_with(part: Part, key: Key) -> dict[str, Any]:
    """A whole file in which the key has its example's value."""
    at_root = not part.path
    if at_root and part.file == "A campaign":
        return {**deepcopy(dict(_CAMPAIGN)), key.name: key.example}
    if at_root:
        return {key.name: key.example}
    value = dict(_INSTEAD.get((part.model, key.name)) or _smallest(part))
    if (part.model, key.name) in _INSTEAD and part.model == "Step":
        value = {**SMALLEST["Step"], **value}
    if key.name in _KINDS:
        value = {name: one for name, one in value.items() if name not in _KINDS}
    value[key.name] = key.example
    path = tuple(str(one).partition(":")[0] if isinstance(one, str) else one for one in part.path)
    return _placed(path, value, part.file)


def _placed(path: Path, value: dict[str, Any], file: str) -> dict[str, Any]:
    whole: dict[str, Any] = deepcopy(dict(_CAMPAIGN)) if file == "A campaign" else {}
    if path[-1] == "an action":
        path = path[:-1]
        value = {"id": "heads_up", "at": "+1d", **value}
    inner: Any = value
    for depth in range(len(path) - 1, -1, -1):
        inner = _around(inner, path[depth], path[depth - 1] if depth else "")
    return {**whole, **inner}


def _around(inner: Any, place: str | int, above: str | int) -> Any:
    """What a value stands in, with what has to stand beside it."""
    if place == 0:
        return [inner]
    if place == -1:
        # The names in a `split` are the campaign's, those in an event's data the event's.
        return {"plain": inner, "other": inner} if above == "split" else {"score": inner}
    here = {str(place): inner}
    if place == "wait_for":
        return {**SMALLEST["Step"], **here, **_INSTEAD["Step", "wait_for"]}
    if place == "on_timeout":
        return {**SMALLEST["Step"], **here, **_INSTEAD["Step", "on_timeout"]}
    if place in _KINDS:
        return {"id": "heads_up", "at": "+1d", **here}
    if (above, place) == ("trigger", "where"):
        return {"type": "event", "name": "nps_answered", **here}
    return here


def _smallest(part: Part) -> Mapping[str, Any]:
    required = {key.name: key.example for key in part.keys if key.default == "required"}
    return SMALLEST.get(part.model, required)
