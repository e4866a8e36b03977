"""Events on the fast way: recorded, taken once, and at the server."""

from datetime import timedelta

from engines import Workshop
from making import NOW, make_customer, make_event, rows_of
from smtp_script import scripted

from crm_messaging.channels.smtp import SmtpChannel
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_store import events
from crm_store.event_names import STAGE_CHANGED
from crm_store.models.campaign import Enrollment
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from flows.report import SweepReport
from flows.sweep import handle_events, plan_sweep

LEADS = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead, sources: [instagram]}
exit_on: [trial_booked]
steps:
  - {id: welcome, at: now, email: note/one}
  - {id: nudge, at: +2d, email: note/two}
"""
TRIAL = """
campaign: trial
name: Trial
topic: news
trigger: {type: stage_change, pipeline: sales, to: trial_booked}
steps:
  - {id: confirm, at: now, email: note/two}
"""


async def handle(club: Workshop) -> SweepReport | None:
    return await handle_events(club.engine, plan_sweep(club.engine, club.files))


async def test_a_new_lead_is_greeted_once(club: Workshop) -> None:
    club.campaign(LEADS)
    make_event(club.store, make_customer(club.store), data={"source": "instagram"})
    make_event(club.store, make_customer(club.store), data={"source": "walk-in"})
    report = await handle(club)
    assert report is not None
    assert (report.admitted, report.campaigns[0].by_state()) == (1, {"accepted": 1})
    assert await handle(club) is None
    assert (await club.sweep()).admitted == 0
    assert club.caught_ids() == club.accepted_ids()
    assert len(club.caught_ids()) == 1


async def test_what_the_intake_missed_the_sweep_finds(club: Workshop) -> None:
    """Taken from the inbox by a process that then died: admission does not go by that mark."""
    club.campaign(LEADS)
    make_event(club.store, make_customer(club.store), data={"source": "instagram"}, handled_at=NOW)
    assert await handle(club) is None
    assert (await club.sweep()).campaigns[0].by_state() == {"accepted": 1}


async def test_an_event_dated_ahead_waits_for_its_moment(club: Workshop) -> None:
    """As by a sender whose clock is fast: taken at once, it would have to wait for a sweep."""
    club.campaign(LEADS)
    ahead = NOW + timedelta(seconds=20)
    customer = make_customer(club.store)
    make_event(club.store, customer, data={"source": "instagram"}, occurred_at=ahead)
    assert await handle(club) is None
    club.clock.on(seconds=20)
    report = await handle(club)
    assert report is not None
    assert report.admitted == 1


async def test_a_stage_change_moves_her_and_starts_the_campaign(club: Workshop) -> None:
    club.campaign(TRIAL)
    customer = make_customer(club.store, pipeline="sales", stage="new")
    data = {"pipeline": "sales", "from": "new", "to": "trial_booked"}
    for _ in range(2):
        with club.store.write() as connection:
            events.record(
                connection,
                customer_id=customer,
                name=STAGE_CHANGED,
                data=data,
                source="crm",
                source_id="delivery-1",
                occurred_at=NOW,
                now=NOW,
            )
    report = await handle(club)
    assert report is not None and report.campaigns[0].by_state() == {"accepted": 1}
    assert rows_of(club.store, Customer, "stage") == [("trial_booked",)]
    assert len(rows_of(club.store, Event)) == 1


async def test_an_exit_event_is_noticed_at_once(club: Workshop) -> None:
    club.campaign(LEADS)
    customer = make_customer(club.store)
    make_event(club.store, customer, data={"source": "instagram"})
    await handle(club)
    make_event(club.store, customer, "trial_booked", occurred_at=NOW + timedelta(minutes=1))
    club.clock.on(minutes=2)
    await handle(club)
    assert rows_of(club.store, Enrollment, "status") == [("exited",)]


async def test_an_event_of_last_year_starts_nothing(club: Workshop) -> None:
    club.campaign(LEADS)
    past = NOW - timedelta(days=365)
    lead = make_customer(club.store)
    make_event(club.store, lead, data={"source": "instagram"}, occurred_at=past)
    report = await handle(club)
    assert report is not None and report.admitted == 0


async def test_a_step_that_says_resend_is_sent_again_as_the_same_message(club: Workshop) -> None:
    club.campaign(LEADS.replace("email: note/one", "email: note/one, on_doubt: resend"))
    make_event(club.store, make_customer(club.store), data={"source": "instagram"})
    good = club.engine.channels["email"]
    async with scripted({"dot": "<close>"}) as server:
        smtp = SmtpSettings(host="127.0.0.1", port=server.port, tls="none", sessions=1)
        club.engine.channels["email"] = SmtpChannel(smtp)
        await club.sweep()
        await club.engine.channels["email"].close()
    club.engine.channels["email"] = good
    assert club.ledger("state", "resends") == [("in_doubt", 0)]
    [(message_id,)] = club.ledger("message_id")
    await club.sweep()
    assert club.ledger("state", "resends") == [("accepted", 1)]
    assert club.caught_ids() == [message_id]
    assert message_id in server.taken[0].decode()
