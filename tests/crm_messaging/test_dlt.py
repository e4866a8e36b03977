"""India's register: what is held against it, what goes with a message, and the hours."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_folder import ASHA, CATALOGUE, library, sms_problems

from crm_messaging.compose import NAME_FIELDS, Composer
from crm_messaging.dlt import (
    VARIABLE,
    DltSettings,
    DltTags,
    DltTemplate,
    NotRegistered,
    mismatch,
    shut_until,
    tags_for,
)
from crm_messaging.dlt_check import not_registered
from crm_messaging.message import OutgoingSms
from crm_store.sending import TopicRule
from crm_store.touchpoints import Claimed

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REGISTERED = "Dear {#var#}, your plan ends on {#var#}. Lotus"
FIXED = "Diwali at Lotus: 20% off"
SETTINGS = DltSettings(entity="1101456789012345678", header="LTSFIT", promotional_header="612345")
SERVICE = DltTemplate("1107161234567890123", REGISTERED, "service")

# text, registered text                                                  what is said of it
TEXTS = [
    ("Dear Asha, your plan ends on 22 Dec. Lotus", REGISTERED, None),
    ("Dear , your plan ends on . Lotus", REGISTERED, None),
    ("  Dear Asha, your plan ends on 22 Dec. Lotus\r\n", REGISTERED, None),
    ("Dear आशा, your plan ends on २२ दिसंबर. Lotus", REGISTERED, None),
    (f"Dear {'x' * 30}, your plan ends on {'y' * 30}. Lotus", REGISTERED, None),
    ("Dear Asha, your plan ends on 1, your plan ends on 2. Lotus", REGISTERED, None),
    (FIXED, FIXED, None),
    ("a" * 60, VARIABLE * 2, None),
    ("", VARIABLE, None),
    ("line\nbreak", "line\r\nbreak", None),
    (f"Dear {'x' * 31}, your plan ends on 22 Dec. Lotus", REGISTERED,
     "it differs at or before `Dear {#var#}, your plan ends on `"),
    ("dear Asha, your plan ends on 22 Dec. Lotus", REGISTERED, "it differs at or before `Dear `"),
    ("Dear Asha,  your plan ends on 22 Dec. Lotus", REGISTERED,
     "it differs at or before `Dear {#var#}, your plan ends on `"),
    ("Dear Asha, your plan ends on 22 Dec. Lotus!", REGISTERED,
     "it goes on after `Dear {#var#}, your plan ends on {#var#}. Lotus`"),
    ("Dear Asha, your plan ends on 22 Dec.", REGISTERED,
     "it differs at or before `Dear {#var#}, your plan ends on {#var#}. Lotus`"),
    ("a" * 61, VARIABLE * 2, "it goes on after `{#var#}{#var#}`"),
    ("Diwali at Lotus: 30% off", FIXED, f"it differs at or before `{FIXED}`"),
    ("Dear Asha", "Dear {#Var#}", "it differs at or before `Dear {#Var#}`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "registered", "said"), TEXTS)
def test_a_text_against_what_is_registered(text: str, registered: str, said: str | None) -> None:
    found = mismatch(text, registered)
    assert found == said
    assert "Asha" not in (found or "")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="{#}\r"), max_size=30), min_size=1))
def test_whatever_is_put_into_the_variables_matches(values: list[str]) -> None:
    registered = "A " + f" {VARIABLE} b".join(["x"] * (len(values) + 1)) + " end"
    text = registered
    for value in values:
        text = text.replace(VARIABLE, value, 1)
    assert mismatch(text, registered) is None


def test_a_hostile_text_is_judged_quickly() -> None:
    started = time.process_time()
    assert mismatch("a " * 700 + "b", f"{VARIABLE} " * 40 + "c") is not None
    assert time.process_time() - started < 1


# recipient        template                              what goes with it
APPLIES = [
    ("+919876543210", SERVICE, DltTags(SETTINGS.entity, SERVICE.id, "LTSFIT")),
    ("+919876543210", replace(SERVICE, kind="transactional"),
     DltTags(SETTINGS.entity, SERVICE.id, "LTSFIT")),
    ("+919876543210", replace(SERVICE, kind="promotional"),
     DltTags(SETTINGS.entity, SERVICE.id, "612345", is_promotional=True)),
    ("+79161234567", SERVICE, None),
    ("+79161234567", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("recipient", "template", "tags"), APPLIES)
def test_what_goes_with_a_message(
    recipient: str, template: DltTemplate | None, tags: DltTags | None
) -> None:
    text = "Dear Asha, your plan ends on 22 Dec. Lotus"
    assert tags_for(text, recipient, template, SETTINGS) == tags
    assert tags_for(text, recipient, template, None) is None


def test_without_a_number_for_promotion_the_header_is_the_clubs() -> None:
    alone = DltSettings(entity=SETTINGS.entity, header="LTSFIT")
    promotional = replace(SERVICE, kind="promotional", text=FIXED)
    tags = tags_for(FIXED, "+919876543210", promotional, alone)
    assert tags is not None
    assert tags.header == "LTSFIT"


@pytest.mark.parametrize(
    ("template", "reason"), [(None, "names no DLT registration"), (SERVICE, SERVICE.id)]
)
def test_what_is_not_registered_does_not_leave(template: DltTemplate | None, reason: str) -> None:
    with pytest.raises(NotRegistered) as refused:
        tags_for("Hi Asha 9876543210", "+919876543210", template, SETTINGS)
    assert reason in str(refused.value)
    assert "Asha" not in str(refused.value)
    assert "98765" not in str(refused.value)


# now (UTC)            they may leave again
HOURS = [
    ((22, 4, 29, 59), (22, 4, 30)),  # 9:59:59 in India
    ((22, 4, 30, 0), None),
    ((22, 15, 29, 59), None),
    ((22, 15, 30, 0), (23, 4, 30)),  # 21:00
    ((22, 18, 29, 0), (23, 4, 30)),
    ((22, 18, 30, 0), (23, 4, 30)),  # midnight
]


@pytest.mark.parametrize(("now", "opens"), HOURS)
def test_promotion_leaves_between_ten_and_nine(
    now: tuple[int, ...], opens: tuple[int, ...] | None
) -> None:
    moment = datetime(2026, 11, *now, tzinfo=UTC)
    expected = datetime(2026, 11, *opens, tzinfo=UTC) if opens else None
    assert shut_until(moment) == expected


HEAD = """---
dlt_template: 1107161234567890123
dlt_text: Dear {#var#}, your plan ends on {#var#}. Lotus
dlt_kind: service
---
"""
BODY = "Dear {{ customer.first_name }}, your plan ends on {{ membership.ends_on | date }}. Lotus"
CLAIMED = Claimed(
    *(7, 3, 1, 42, "2027", "heads_up", "", "sms", None),
    expires_at=NOON,
    queued_at=NOON,
    attempts=0,
    message_id="<7@lotus.example>",
)


def composed(folder: Path, text: str, **values: Any) -> OutgoingSms:
    compiled = library(folder, {"en/sms/a/b.txt": text}).load_sms("a/b", "en")
    changed = {name.replace("__", "."): value for name, value in values.items()}
    row = {name: (ASHA | changed)[name] for name in compiled.fields.union(NAME_FIELDS)}
    rule = TopicRule("renewals")
    composer = Composer(
        compiled, "en", row, catalogue=CATALOGUE, sender=None, rule=rule, dlt=SETTINGS
    )
    message = composer.compose(CLAIMED, row, "+919876543210")
    assert isinstance(message, OutgoingSms)
    return message


def test_the_head_of_a_template_is_no_part_of_its_text(tmp_path: Path) -> None:
    message = composed(tmp_path, HEAD + BODY)
    assert message.body.startswith("Dear Asha, your plan ends on ")
    assert message.dlt == DltTags(SETTINGS.entity, SERVICE.id, "LTSFIT")


def test_a_value_that_is_too_long_for_its_place_stops_the_message(tmp_path: Path) -> None:
    with pytest.raises(NotRegistered):
        composed(tmp_path, HEAD + BODY, customer__first_name="A" * 31)


def test_a_template_without_a_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotRegistered):
        composed(tmp_path, BODY)


HEADS = [
    ("dlt_template: 12", "1:1", "the head has no dlt_text", "all of"),
    ("dlt_templ: 12", "2:1", "no key dlt_templ", "dlt_template?"),
    ("subject: Hello", "2:1", "no key subject", "dlt_template, dlt_text, dlt_kind"),
    ("dlt_template: A-1\ndlt_text: x\ndlt_kind: service", "2:15", "no DLT template id", "digits"),
    (
        "dlt_template: 1107161234567890123\ndlt_text: x\ndlt_kind: promo",
        "4:11",
        "no kind of message `promo`",
        "promotional, service, transactional",
    ),
    ("dlt_text: a: b", "2:12", "the head is not YAML", "quotes"),
]


@pytest.mark.parametrize(("head", "place", "message", "fix"), HEADS)
def test_mistakes_in_the_head_of_a_text_message(
    tmp_path: Path, head: str, place: str, message: str, fix: str
) -> None:
    (finding,) = sms_problems(tmp_path, f"---\n{head}\n---\nHi")
    assert str(finding).startswith(f"templates/en/sms/a/b.txt:{place}: ")
    assert message in finding.message
    assert fix in finding.fix


def test_a_mistake_below_the_head_has_its_own_line(tmp_path: Path) -> None:
    (finding,) = sms_problems(tmp_path, HEAD + "Hi\n{{ customer.frist_name }}")
    assert (finding.line, finding.column) == (7, 4)


CHECKED = [
    (HEAD + BODY, []),
    (BODY, ["the template names no DLT registration"]),
    (HEAD + "Dear friend, it ended. Lotus", ["it is not what is registered as DLT template"]),
    (HEAD + BODY.replace("first_name", "first_name }} {{ customer.last_name }} {{ club.name"),
     ["it differs at or before `Dear {#var#}, your plan ends on `"]),
    ("{{ customer.frist_name }}", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), CHECKED)
def test_check_knows_before_anybody_is_written_to(
    tmp_path: Path, text: str, told: list[str]
) -> None:
    made = library(tmp_path, {"en/sms/a/b.txt": text}, ("en", "hi"))
    found = not_registered(made, "a/b", {"club.name": "Lotus Fitness and Wellness"})
    assert [one.file for one in found] == ["templates/en/sms/a/b.txt"] * len(told)
    assert all(part in one.message for part, one in zip(told, found, strict=True))
