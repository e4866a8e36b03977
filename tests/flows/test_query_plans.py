"""No statement of the main path reads a whole table: at a million customers that is the day."""

from datetime import date
from pathlib import Path

from engines import Workshop, workshop
from making import make_customer, make_event, make_membership, make_visit
from query_plans import scanned, statements

from crm_store.database import Store
from flows.sweep import handle_events, plan_sweep

CAMPAIGNS = {
    "renewal": """
        campaign: renewal
        name: Renewal
        topic: renewals
        trigger: {type: membership_expiring, plans: [annual]}
        where: not membership.auto_renew and "staff" not in customer.tags and visits.last_90d >= 0
        exit_on: [membership_renewed]
        defaults: {quiet_hours: "21:00-08:00", cap: {max: 5, per: 7d}}
        steps:
          - {id: heads_up, at: -30d, email: note/one, if: visits.last_30d >= 0}
          - {id: short, at: -30d, sms: note/short}
        """,
    "leads": """
        campaign: leads
        name: Leads
        topic: news
        trigger: {type: new_lead}
        exit_on: [trial_booked]
        steps: [{id: welcome, at: now, email: note/one}]
        """,
    "trial": """
        campaign: trial
        name: Trial
        topic: news
        trigger: {type: stage_change, pipeline: sales, to: trial_booked}
        steps: [{id: confirm, at: now, email: note/two}]
        """,
    "birthday": """
        campaign: birthday
        name: Birthday
        topic: news
        trigger: {type: birthday}
        steps: [{id: wishes, at: 0d, time: "09:00", email: note/three}]
        """,
}


async def test_the_whole_path_uses_indexes(sqlite_store: Store, tmp_path: Path) -> None:
    async with workshop(sqlite_store, tmp_path / "club") as club:
        _fill(club)
        with statements(sqlite_store) as seen:
            await handle_events(club.engine, plan_sweep(club.engine, club.files))
            await club.sweep()
            await club.sweep()
    assert len(club.accepted_ids()) >= 8  # every trigger had work, so every statement ran
    slow = {
        sql: tables
        for sql, parameters in seen
        if (tables := scanned(sqlite_store, sql, parameters))
    }
    assert slow == {}


def test_a_scan_would_be_seen(sqlite_store: Store) -> None:
    sql = "SELECT id FROM customer WHERE first_name = ?"
    assert scanned(sqlite_store, sql, ("Asha",)) == ["SCAN customer"]


def _fill(club: Workshop) -> None:
    for name, text in CAMPAIGNS.items():
        club.campaign(text, name)
    for _ in range(3):
        member = make_customer(club.store, birth_date=date(1990, 11, 22))
        make_visit(club.store, member)
        make_membership(club.store, member)
        make_event(club.store, make_customer(club.store))
        make_event(
            club.store,
            make_customer(club.store),
            "stage_changed",
            data={"pipeline": "sales", "to": "trial_booked"},
        )
