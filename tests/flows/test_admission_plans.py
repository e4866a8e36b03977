"""Admission finds its people by an index, for every kind of trigger."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engines import Clock
from making import NOW, make_club
from query_plans import plan_of, scanned, statements

from crm_messaging.template_library import TemplateLibrary
from crm_store.catalogue.field import FieldType
from crm_store.catalogue.standard import catalogue_of, custom_field
from crm_store.database import Store
from crm_store.dates import index_custom_dates
from flows.admit import admit
from flows.campaigns import load_campaigns
from flows.engine import Engine
from triggers.check import CheckedFile
from triggers.definition import CampaignDefinition
from triggers.look import Look

TRIGGERS: list[dict[str, Any]] = [
    {"type": "membership_expiring", "plans": ["annual"]},
    {"type": "birthday"},
    {"type": "date", "field": "customer.joined_on"},
    {"type": "date", "field": "customer.joined_on", "every": "year"},
    {"type": "date", "field": "custom.medical_on"},
    {"type": "date", "field": "custom.medical_on", "every": "year"},
    {"type": "date", "field": "membership.starts_on"},
    {"type": "date", "field": "membership.starts_on", "every": "year"},
    {"type": "date", "field": "membership.ends_on"},
    {"type": "date", "field": "package.expires_on"},
    {"type": "new_lead", "sources": ["web"]},
    {"type": "stage_change", "pipeline": "sales", "to": "trial"},
    {"type": "form", "form": "trial-signup"},
    {"type": "event", "name": "paid", "where": {"amount": {"at_least": 5}, "plan": "x"}},
    {"type": "event", "name": "visit_recorded"},
    {"type": "event", "name": "purchase_recorded", "where": {"item": "shake"}},
    {"type": "balance_low", "at_most": 2},
    {"type": "inactivity", "days": 14, "never": True},
    {"type": "inactivity", "below": "50%"},
    {"type": "segment_entered", "segment": "vips"},
    {"type": "segment_left", "segment": "vips"},
]
"""All but a festival and the clock, which are for everyone."""
DERIVED = {"SCAN passed"}
"""A subquery: what it holds was found by an index."""


def test_nobody_is_looked_at_in_vain(sqlite_store: Store, tmp_path: Path) -> None:
    catalogue = catalogue_of([custom_field("medical_on", FieldType.DATE, "")])
    library = TemplateLibrary(tmp_path, catalogue, ["en"])
    club, zone = make_club(sqlite_store), ZoneInfo("Asia/Kolkata")
    engine = Engine(sqlite_store, club, zone, catalogue, library, None, {}, Clock(NOW))
    with sqlite_store.write() as connection:
        index_custom_dates(connection, ["medical_on"])
    steps = [{"id": "a", "at": "0d", "email": "a/b"}]
    found = {}
    for number, trigger in enumerate(TRIGGERS):
        campaign = {"campaign": f"c{number}", "name": "C", "topic": "t", "steps": steps}
        definition = CampaignDefinition.model_validate(campaign | {"trigger": trigger})
        files = [CheckedFile(tmp_path, definition)]
        [running], _ = load_campaigns(sqlite_store, files, catalogue, NOW)
        with statements(sqlite_store) as seen:
            admit(engine, running)
        for sql, parameters in seen:
            plan = "\n".join(plan_of(sqlite_store, sql, parameters))
            slow = set(scanned(sqlite_store, sql, parameters)) - DERIVED
            # To find everybody of the club by an index is to read everybody.
            if slow or "ix_customer_club_id" in plan or "customer_1" in plan:
                found[str(trigger)] = plan
    assert found == {}


LATER = datetime(2027, 11, 1, 9, 30, tzinfo=UTC)
MONTH = timedelta(days=30)


def test_what_a_trigger_asks_is_built_once() -> None:
    """SQLAlchemy compiles it once, and finds it by identity, whatever the club and the moment."""
    steps = [{"id": "a", "at": "0d", "email": "a/b"}]
    clock = {"type": "schedule", "cron": "0 10 * * *", "audience": "vips"}
    festival = {"type": "date", "holiday": "Diwali", "country": "IN"}
    for trigger in (*TRIGGERS, clock, festival):
        campaign = {"campaign": "c", "name": "C", "topic": "t", "steps": steps}
        definition = CampaignDefinition.model_validate(campaign | {"trigger": trigger})
        asked = [
            list(definition.trigger.occasions(Look(club, now, -MONTH, MONTH, ZoneInfo(zone))))
            for club, now, zone in ((1, NOW, "Asia/Kolkata"), (2, LATER, "America/New_York"))
        ]
        statements = [{one.sql for one in occasions} for occasions in asked]
        assert statements[0] == statements[1] != set(), trigger
        assert [one.values for one in asked[0]] != [one.values for one in asked[1]]
