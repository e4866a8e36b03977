"""Admit: everyone whose occasion has come enters the campaign, in one statement."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from crm_store import admission
from crm_store.admission import Among
from crm_store.happenings import may_have_happened
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from triggers.controls import Reentry, ReentryAfter
from triggers.definition import CampaignDefinition
from triggers.look import Look


def admit(
    engine: Engine,
    campaign: RunningCampaign,
    event_ids: Sequence[int] | None = None,
    among: Among | None = None,
) -> int:
    """Enroll who is due; returns how many are new.

    With `event_ids` only for these events, with `among` only those customers that it selects.
    """
    now = engine.clock()
    version = campaign.current
    definition = version.definition
    scope = engine.scope(definition, now)
    look = look_of(engine, definition, now, event_ids)

    trigger = definition.trigger
    if event_ids is None and trigger.by_event_alone:
        # Most of the time nothing of the kind has happened lately: to see that takes no time.
        with engine.store.read() as connection:
            if not may_have_happened(connection, trigger.listens_to or "", look.since):
                return 0

    def enroll(connection: Connection) -> int:
        return sum(
            admission.admit(
                connection,
                campaign=campaign.slug,
                version_id=version.id,
                occasions=occasions,
                condition=version.where.asked(scope) if version.where else None,
                now=now,
                not_since=_not_since(definition.reentry, now),
                among=among,
            )
            for occasions in trigger.occasions(look)
        )

    return engine.store.transact(enroll)


def look_of(
    engine: Engine,
    definition: CampaignDefinition,
    now: datetime,
    event_ids: Sequence[int] | None = None,
) -> Look:
    """What a campaign's trigger is asked with: occasions within reach of its steps."""
    earliest, latest = definition.span()
    return Look(
        club_id=engine.club_id,
        now=now,
        earliest=earliest,
        latest=latest + definition.defaults.late.grace,
        zone=engine.club_zone,
        event_ids=event_ids,
    )


def _not_since(reentry: Reentry, now: datetime) -> datetime | None:
    """Since when nobody may have entered to enter again; nothing when every occasion counts."""
    match reentry:
        case ReentryAfter(after=after):
            return now - after
        case "once":
            return datetime.min.replace(tzinfo=UTC)
        case _:
            return None
