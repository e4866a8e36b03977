"""What an event says, in the messages that leave: each customer's own, on both databases."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from engines import Workshop
from making import NOW, make_customer, make_event, rows_of
from sqlalchemy import event as sqlalchemy_event

from crm_messaging.message import OutgoingCall
from crm_messaging.rehearsal.reading import CaughtEmail, CaughtSms
from crm_store import events
from crm_store.models.staff_task import StaffTask
from crm_store.models.touchpoint import Touchpoint
from flows.admit import admit
from flows.advance import advance
from flows.prepare import prepare
from flows.sweep import plan_sweep

SAYS = {
    "email": (
        '---\nsubject: "Your trial, {{ event.trainer }}"\n---\n'
        '{{ event.trainer }} is here on {{ event.at | date("d MMMM") }} at {{ event.at | time }}.'
        "\n\n[More]({{ club.website }}/{{ event.trainer }})\n"
    ),
    "sms": "{{ event.item }}: {{ event.amount | money }}",
}
PLAIN = '---\nsubject: "Your trial"\n---\nHere it is.\n\n[More]({{ club.website }})\n'
TRIAL = """
campaign: trial
name: Trial
topic: news
trigger: {type: event, name: trial_booked}
steps:
  - {id: confirm, at: now, email: note/told}
  - {id: remind, at: +1d, email: note/told}
"""
BOUGHT = """
campaign: bought
name: Bought
topic: news
trigger: {type: event, name: purchase_recorded}
steps:
  - {id: thanks, at: now, sms: note/told}
"""
OTHERS = """
campaign: trial
name: Trial
topic: news
trigger: {type: event, name: trial_booked}
steps:
  - {id: call, at: now, task: {queue: desk, title: "Ask {{ event.trainer }}", due: 4h}}
  - {id: tell, at: now, webhook: {url: https://crm.example/x, data: {who: "{{ event.trainer }}"}}}
"""
AT = "2026-12-01T18:30+05:30"


@pytest.fixture
def told(club: Workshop) -> Workshop:
    """The club, with templates that speak of an event."""
    for language in ("en", "hi"):
        for channel, text in SAYS.items():
            suffix = ".md" if channel == "email" else ".txt"
            (club.folder / "templates" / language / channel / f"note/told{suffix}").write_text(text)
    club.read_templates_anew()
    club.vocabulary = replace(club.vocabulary, templates=club.engine.library)
    return club


def booked(club: Workshop, data: Any, **customer: Any) -> int:
    made = make_customer(club.store, **customer)
    make_event(club.store, made, "trial_booked", data=data)
    return made


def mails(club: Workshop) -> list[CaughtEmail]:
    """In the order of their subjects."""
    found = (club.caught.get(entry.key) for entry in club.caught.newest(channel="email", limit=99))
    return sorted(
        (one for one in found if isinstance(one, CaughtEmail)), key=lambda one: one.subject
    )


async def test_each_message_says_what_its_own_event_said(told: Workshop) -> None:
    told.campaign(TRIAL)
    booked(told, {"trainer": "Ravi", "at": AT})
    booked(told, {"trainer": "Meena", "at": "2026-12-02"}, language="hi")
    booked(told, {"trainer": "Boris", "at": "2026-12-02T07:00"}, language="hi-IN")
    booked(told, {"trainer": "Nobody"})
    booked(told, {"at": AT})
    booked(told, {"trainer": ["Ravi"], "at": {"day": AT}})
    booked(told, {"trainer": "Evil\r\nBcc: all@example.org", "at": AT})
    booked(told, {"trainer": '<b onclick="x">Tag</b>', "at": AT})
    await told.sweep()
    tagged, boris, ravi = mails(told)
    assert [ravi.subject, boris.subject, tagged.subject] == [
        "Your trial, Ravi", "Your trial, Boris", 'Your trial, <b onclick="x">Tag</b>',
    ]  # fmt: skip
    assert "Ravi is here on 1 December at 6:30 PM." in ravi.text
    assert "Boris is here on 2 दिसंबर at 7:00 am." in boris.text
    assert "&lt;b onclick=" in tagged.html and "<b onclick" not in tagged.html
    assert "https://lotus.example/%3Cb%20onclick" in tagged.html
    assert not {name for mail in mails(told) for name, _ in mail.headers} & {"Bcc"}
    failed = [one for one in rows_of(told.store, Touchpoint, "state", "reason", "detail")
              if one[0] == "failed"]  # fmt: skip
    assert {one[:2] for one in failed} == {("failed", "template")}
    assert [one[2].split(" Write")[0] for one in failed] == [
        "The template failed: the filter time needs a time, such as 2026-11-22T18:30 or 18:30,"
        " and event.at is not one.",
        "event.at is empty for this customer.",
        "event.trainer is empty for this customer.",
        "event.trainer is empty for this customer.",
        "The subject holds a line end or another control character.",
    ]


async def test_a_later_step_says_the_same(told: Workshop) -> None:
    told.campaign(TRIAL)
    customer = booked(told, {"trainer": "Ravi", "at": AT})
    await told.sweep()
    told.clock.on(days=1)
    make_event(told.store, customer, "trial_booked", data={"trainer": "Meena", "at": AT},
               occurred_at=told.clock.now)  # fmt: skip
    await told.sweep()
    said = [mail.subject.removeprefix("Your trial, ") for mail in mails(told)]
    assert said == ["Meena", "Ravi", "Ravi"]


async def test_a_purchase_has_what_was_bought(told: Workshop) -> None:
    told.campaign(BOUGHT)
    customer = make_customer(told.store)
    with told.store.write() as connection:
        events.record(
            connection,
            customer_id=customer,
            name="purchase_recorded",
            data={"item": "Gloves", "amount": 1250},
            source="shop",
            occurred_at=NOW - timedelta(minutes=1),
            now=NOW,
        )
    await told.sweep()
    (entry,) = told.caught.newest(channel="sms", limit=9)
    message = told.caught.get(entry.key)
    assert isinstance(message, CaughtSms) and message.body == "Gloves: ₹1,250"


async def test_tasks_and_calls_say_it_too(told: Workshop) -> None:
    told.campaign(OTHERS)
    for data in ({"trainer": "Ravi"}, {}):
        booked(told, data)
    told.engine.channels["webhook"] = told.engine.channels["email"]
    [campaign] = plan_sweep(told.engine, told.files).running
    admit(told.engine, campaign)
    advance(told.engine, campaign)
    prepared = prepare(told.engine, campaign)
    del told.engine.channels["webhook"]
    assert prepared is not None
    titles = [title for (title,) in rows_of(told.store, StaffTask, "title")]
    assert sorted(titles) == ["Ask Ravi", "Ask {{ event.trainer }}"]
    (ready,) = prepared.outgoing
    assert isinstance(ready.message, OutgoingCall)
    assert json.loads(ready.message.body)["data"]["who"] == "Ravi"
    (ruling,) = prepared.rulings
    assert ruling.detail.startswith("event.trainer is empty")


async def test_a_batch_asks_no_more_often_for_it(told: Workshop) -> None:
    """The same number of statements, whether a template speaks of the event or not."""
    for language in ("en", "hi"):
        (told.folder / "templates" / language / "email" / "note/plain.md").write_text(PLAIN)
    told.read_templates_anew()
    counts = {}
    for template in ("note/plain", "note/told"):
        name = template.replace("/", "-")
        event = f"{name.replace('-', '_')}_booked"
        told.campaign(
            TRIAL.replace("note/told", template)
            .replace("campaign: trial", f"campaign: {name}")
            .replace("trial_booked", event),
            name,
        )
        for _ in range(5):
            customer = make_customer(told.store)
            make_event(told.store, customer, event, data={"trainer": "Ravi", "at": AT})
        campaign = next(
            one for one in plan_sweep(told.engine, told.files).running if one.slug == name
        )
        admit(told.engine, campaign)
        advance(told.engine, campaign)
        statements: list[str] = []

        def note(*args: Any, kept: list[str] = statements) -> None:
            kept.append(args[2])

        sqlalchemy_event.listen(told.store.engine, "before_cursor_execute", note)
        prepared = prepare(told.engine, campaign)
        assert prepared is not None
        prepared.compose()
        sqlalchemy_event.remove(told.store.engine, "before_cursor_execute", note)
        assert len(prepared.outgoing) == 5
        counts[template] = len(statements)
    assert counts["note/plain"] == counts["note/told"]
