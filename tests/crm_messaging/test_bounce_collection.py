"""Mails that 70 foreign mail systems have really sent, against what people read in them.

The recipients are not in the table: what a mail's own fields name is found here by a search for
two words, which knows nothing of the reader's ways.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from crm_messaging.bounces.reading import read_mail
from crm_messaging.feedback import Feedback, Verdict

COLLECTION = Path(__file__).parents[2].parent / "shared" / "data" / "bounce-mails"
TRUTH = Path(__file__).with_name("bounce_truth.txt")
SUPPRESSING = (Verdict.HARD_BOUNCE, Verdict.COMPLAINT)
FIELD = re.compile(
    rb"^(?:Original|Final)-Recipient[ ]*:[^;\n]*;?[ ]*<?([^<>\r\n]*)>?",
    re.IGNORECASE | re.MULTILINE,
)
FOR_MACHINES = re.compile(rb"message/(?:delivery-status|feedback-report)", re.IGNORECASE)

pytestmark = pytest.mark.skipif(
    not COLLECTION.is_dir(), reason="no folder shared/data/bounce-mails"
)


@dataclass(frozen=True)
class Case:
    """A mail of the collection and what was read in it."""

    name: str
    raw: bytes
    truth: tuple[frozenset[str], ...]
    found: tuple[Feedback, ...]

    @property
    def classes_are_right(self) -> bool:
        found = [{str(one.verdict)} for one in self.found] or [{"none"}]
        return len(found) == len(self.truth) and all(
            any(one <= truth for one in found) for truth in self.truth
        )

    @property
    def recipients_are_right(self) -> bool:
        named = {one.strip().lower() for one in FIELD.findall(self.raw)}
        return not named or all(
            one.recipient and one.recipient.lower().encode() in named for one in self.found
        )


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    truths = {
        words[0]: tuple(frozenset(one.split("|")) for one in words[1:])
        for words in map(str.split, TRUTH.read_text().splitlines())
        if words[0] != "#"
    }
    mails = {path.stem: path.read_bytes() for path in COLLECTION.rglob("*.eml")}
    assert truths.keys() == mails.keys()
    return [Case(name, raw, truths[name], read_mail(raw)) for name, raw in mails.items()]


def share(cases: list[Case], wrong: list[Case]) -> str:
    return f"{len(wrong)} of {len(cases)}: {', '.join(case.name for case in wrong)}"


def test_with_a_part_for_machines_recipient_and_class_are_right(cases: list[Case]) -> None:
    with_part = [case for case in cases if FOR_MACHINES.search(case.raw)]
    assert len(with_part) > 150
    wrong = [
        case for case in with_part if not (case.classes_are_right and case.recipients_are_right)
    ]
    assert len(wrong) <= 0.05 * len(with_part), share(with_part, wrong)


def test_without_one_the_class_is_nearly_always_right(cases: list[Case]) -> None:
    without = [case for case in cases if not FOR_MACHINES.search(case.raw)]
    wrong = [case for case in without if not case.classes_are_right]
    assert len(wrong) <= 0.05 * len(without), share(without, wrong)


def test_hard_is_said_wrongly_in_one_of_a_hundred_at_most(cases: list[Case]) -> None:
    wrong = [
        case
        for case in cases
        if any(one.verdict is Verdict.HARD_BOUNCE for one in case.found)
        and not any("hard_bounce" in truth for truth in case.truth)
    ]
    assert len(wrong) <= 0.01 * len(cases), share(cases, wrong)


def test_what_is_no_bounce_suppresses_nobody(cases: list[Case]) -> None:
    others = {path.stem for path in (COLLECTION / "not-a-bounce").iterdir()}
    found = [one for case in cases if case.name in others for one in case.found]
    assert len(others) == 3
    assert [one for one in found if one.verdict in SUPPRESSING] == []


def test_the_message_is_found_again(cases: list[Case]) -> None:
    """Where the mail holds the Message-ID of another message, it is given back."""
    ours = re.compile(rb"^Message-ID:\s*(<[^<>\s]+@[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
    lost = [
        case
        for case in cases
        if case.found
        and len(ours.findall(case.raw)) > 1
        and (case.found[0].message_id or "").encode() not in ours.findall(case.raw)
    ]
    assert len(lost) <= 0.02 * len(cases), share(cases, lost)


def test_no_address_is_in_a_detail_or_an_id(cases: list[Case]) -> None:
    kept = [f"{one.detail} {one.source_id}" for case in cases for one in case.found]
    assert [text for text in kept if "@" in text and re.search(r"\w@\w", text)] == []


def test_the_same_bytes_are_the_same_facts(cases: list[Case]) -> None:
    ids = [one.source_id for case in cases for one in case.found]
    assert None not in ids
    assert all(read_mail(case.raw) == case.found for case in cases[:20])
