"""The page of all that a campaign file may say, made from the models.

After a change of a model: `python -m triggers.reference > docs/campaign-reference.md`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from triggers.definition import CampaignDefinition
from triggers.model_reference import Part, Reader, told
from triggers.scores import ScoresFile
from triggers.segments import SegmentsFile

FILES: Mapping[str, type[BaseModel]] = {
    "A campaign": CampaignDefinition,
    "segments.yaml": SegmentsFile,
    "scores.yaml": ScoresFile,
}
SAME_ACTIONS = {"Step": "Action", "Branch": "Action", "Variant": "Action"}
"""Parts that may hold every action: those are told once."""
SMALLEST: Mapping[str, Mapping[str, Any]] = {
    "Action": {"task": {"queue": "front_desk", "title": "Call", "due": "4h"}},
    "Step": {"id": "heads_up", "at": "+1d", "email": "renewal/heads_up"},
    "Branch": {"if": "visits.last_90d >= 8", "email": "renewal/recap"},
    "Variant": {"email": "renewal/plain"},
    "Update": {"add_tags": ["renewed-online"]},
    "Date": {"type": "date", "field": "customer.joined_on"},
    "Inactivity": {"type": "inactivity", "days": 14},
    "SendWindow": {"hours": "10:00-20:00"},
    "Bounds": {"at_least": 9},
    "Defaults": {"time": "10:30"},
    "Late": {"grace": "36h"},
    "ScoreRule": {"points": 5, "event": "visit_recorded"},
}
"""The least that makes a part sound, where it is more than the keys it must have."""


def parts() -> Iterator[Part]:
    """Every part of every file, in the order of the page."""
    for file, model in FILES.items():
        yield from Reader(file, model, shared=SAME_ACTIONS, smallest=SMALLEST).parts()


def page() -> str:
    """The page in Markdown."""
    text = [_HEAD]
    for part in parts():
        text.append(told(part, level=3 if part.path else 2))
        if part.model in SAME_ACTIONS:
            text.append("\nBeside these, exactly one [action](#steps--an-action).\n")
    return "".join(text)


_HEAD = """\
# Campaign reference

Every key of a campaign, of `segments.yaml` and of `scores.yaml`. How to write them is told in
[Writing a campaign and its messages](writing.md); what conditions and messages can name, in
[Fields](fields.md). A key without a default may be left out. This page is made from the program
itself, and each example on it passes `sampark check`.
"""

if __name__ == "__main__":
    print(page(), end="")
