"""Each message is hers, from her own club, to the address she has when it leaves."""

from dataclasses import replace
from datetime import date, timedelta

from engines import LEADS as WELCOME
from engines import Workshop
from making import (
    NOW,
    make_club,
    make_customer,
    make_event,
    make_membership,
    make_suppression,
    rows_of,
)
from sqlalchemy import update

from crm_store.catalogue.field import FieldType
from crm_store.catalogue.standard import catalogue_of, custom_field
from crm_store.imports.run import import_file
from crm_store.models.customer import Customer
from crm_store.models.membership import Membership
from crm_store.models.touchpoint import Touchpoint
from crm_store.tables import table_of
from flows.admit import admit
from flows.advance import advance
from flows.delivery import Delivery
from flows.prepare import prepare
from flows.sweep import plan_sweep, sweep

RENEWAL = """
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring, plans: [annual]}
exit_on: [membership_renewed]
steps:
  - {id: heads_up, at: -30d, email: note/one}
  - {id: recap, at: -14d, email: note/two}
"""
LEADS = f"{WELCOME}  - {{id: nudge, at: +2d, email: note/two}}\n"


async def test_who_renewed_under_a_new_contract_number_hears_no_more(lite_club: Workshop) -> None:
    club = lite_club
    club.campaign(RENEWAL)
    make_membership(club.store, make_customer(club.store, ref="M-1"), ref="K-1")
    await club.sweep()
    club.clock.on(days=5)
    file = club.folder / "terms.csv"
    file.write_text(
        "Member No,Membership ID,Plan,Start Date,End Date\nM-1,K-2,annual,2026-12-23,2027-12-22\n"
    )
    import_file(
        club.store,
        "memberships",
        file,
        club_id=club.engine.club_id,
        catalogue=club.engine.catalogue,
        now=club.clock.now,
    )
    club.clock.on(days=11)
    await club.sweep()
    assert club.ledger() == [("heads_up", "accepted", None)]


async def test_an_address_that_changed_after_the_message_was_made(club: Workshop) -> None:
    """The old one was a stranger's, who complained: nothing goes there, and hers has its mail."""
    club.campaign(LEADS)
    make_event(club.store, make_customer(club.store, email="stranger@example.org"))
    [campaign] = plan_sweep(club.engine, club.files).running
    admit(club.engine, campaign)
    advance(club.engine, campaign)
    batch = prepare(club.engine, campaign)
    assert batch is not None
    batch.compose()
    make_suppression(club.store, "email", "stranger@example.org")
    with club.store.write() as connection:
        connection.execute(update(table_of(Customer)).values(email="asha@example.org"))
    async with Delivery(club.engine) as delivery:
        await delivery.send(batch)
    assert club.ledger("state") == [("queued",)]
    await club.sweep()
    assert [one.recipient for one in club.caught.newest()] == ["asha@example.org"]


async def test_clubs_that_share_a_database_and_a_campaigns_name(club: Workshop) -> None:
    club.campaign(LEADS)
    other = replace(club.engine, club_id=make_club(club.store, code="rose", name="Rose Fitness"))
    make_event(club.store, make_customer(club.store, club_id=other.club_id))
    there = await sweep(other, plan_sweep(other, club.files))
    assert there.campaigns[0].by_state() == {"accepted": 1}
    club.clock.on(days=2)
    here = await club.sweep()
    assert (here.campaigns[0].due, here.campaigns[0].waiting, here.campaigns[0].by_state()) == (
        0,
        0,
        {},
    )
    there = await sweep(other, plan_sweep(other, club.files))
    assert there.campaigns[0].by_state() == {"accepted": 1}


async def test_an_impossible_term_does_not_stop_the_others(lite_club: Workshop) -> None:
    club = lite_club
    club.campaign(RENEWAL)
    make_membership(club.store, make_customer(club.store))
    typo = make_membership(club.store, make_customer(club.store))
    await club.sweep()
    term, day = table_of(Membership), date(1, 1, 1)
    with club.store.write() as connection:
        connection.execute(update(term).where(term.c.id == typo).values(starts_on=day, ends_on=day))
    club.clock.on(days=16)
    report = await club.sweep()
    assert report.campaigns[0].failed is None
    assert club.ledger().count(("recap", "accepted", None)) == 1


async def test_a_template_that_only_an_old_version_names_holds_up_that_version_alone(
    lite_club: Workshop,
) -> None:
    club = lite_club
    club.campaign(LEADS)
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    club.campaign(LEADS.replace("note/two", "note/three"))
    renamed = {path: path.read_text() for path in club.folder.glob("templates/*/email/note/two.md")}
    for path in renamed:
        path.unlink()
    club.read_templates_anew()
    club.clock.on(days=2)
    make_event(club.store, make_customer(club.store), occurred_at=club.clock.now)
    report = await club.sweep()
    assert "TemplateUnusable" in str(report.campaigns[0].failed)
    assert club.ledger("version_id", "step", "state") == [
        (1, "welcome", "accepted"),
        (1, "nudge", "queued"),
        (2, "welcome", "accepted"),
    ]
    for path, text in renamed.items():
        path.write_text(text)
    club.read_templates_anew()
    await club.sweep()
    assert club.ledger("version_id", "step", "state")[1] == (1, "nudge", "accepted")


async def test_a_field_that_only_an_old_version_asks_for_holds_up_nobody(
    lite_club: Workshop,
) -> None:
    club = lite_club
    catalogue = catalogue_of([custom_field("goal", FieldType.TEXT, "Goal")])
    now_known, engine = club.vocabulary, club.engine
    club.vocabulary = replace(now_known, catalogue=catalogue)
    club.engine = replace(engine, catalogue=catalogue)
    club.campaign(LEADS.replace("steps:", "where: custom.goal is none\nsteps:"))
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    club.vocabulary, club.engine = now_known, engine
    club.campaign(LEADS)
    with club.store.write() as connection:
        connection.execute(update(table_of(Touchpoint)).values(state="in_doubt"))
    club.clock.on(days=2)
    make_event(club.store, make_customer(club.store), occurred_at=club.clock.now)
    report = await club.sweep()
    assert report.campaigns[0].failed is None
    assert rows_of(club.store, Touchpoint, "step", "state") == [
        ("welcome", "in_doubt"),
        ("nudge", "accepted"),
        ("welcome", "accepted"),
    ]


async def test_a_version_that_cannot_be_read_stops_its_campaign_alone(
    lite_club: Workshop,
) -> None:
    """In doubt or not: what is wrong with one campaign is looked at within that campaign."""
    club = lite_club
    catalogue = catalogue_of([custom_field("goal", FieldType.TEXT, "Goal")])
    now_known, engine = club.vocabulary, club.engine
    club.vocabulary = replace(now_known, catalogue=catalogue)
    club.engine = replace(engine, catalogue=catalogue)
    club.campaign(LEADS.replace("now,", "now, if: custom.goal is none,"))
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    with club.store.write() as connection:
        connection.execute(update(table_of(Touchpoint)).values(state="in_doubt"))
    club.vocabulary, club.engine = now_known, engine
    club.campaign(LEADS)
    club.campaign(RENEWAL, "renewal")
    make_membership(club.store, make_customer(club.store), ends_on=NOW.date() + timedelta(days=30))
    report = await club.sweep()
    reports = {one.campaign: one for one in report.campaigns}
    assert "ConditionError" in str(reports["leads"].failed)
    assert reports["renewal"].by_state() == {"accepted": 1}
