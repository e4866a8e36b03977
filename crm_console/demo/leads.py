"""The leads of the demonstration: on their way through the sales pipeline."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from crm_console.demo.happened import happened
from crm_console.demo.people import People, at
from crm_store.dossiers import Dossier
from crm_store.event_names import LEAD_CREATED, STAGE_CHANGED

PIPELINE = "sales"
WAYS = {
    "new": ("new",),
    "contacted": ("new", "contacted"),
    "trial_booked": ("new", "contacted", "trial_booked"),
    "trial_missed": ("new", "contacted", "trial_booked", "trial_missed"),
    "trial_attended": ("new", "contacted", "trial_booked", "trial_attended"),
    "won": ("new", "contacted", "trial_booked", "trial_attended", "won"),
    "lost": ("new", "contacted", "lost"),
}
"""The stages behind a lead who stands at each stage, in the order she went."""


def lead(
    people: People, chance: Random, today: date, *, days_ago: int, stage: str, moved_ago: int
) -> Dossier:
    """A lead who asked `days_ago` and came to her stage `moved_ago` (never more) days ago."""
    dossier = people.person(today - timedelta(days=days_ago))
    created_at: datetime = dossier.customer["created_at"]
    way = WAYS[stage]
    came_at = at(today - timedelta(days=moved_ago), chance.randint(9, 10), chance.randrange(30))
    step = (came_at - created_at) / max(1, len(way) - 1)
    dossier.customer |= {
        "pipeline": PIPELINE,
        "stage": stage,
        "stage_changed_at": created_at + step * (len(way) - 1),
        "updated_at": created_at + step * (len(way) - 1),
    }
    data: dict[str, Any] = {"pipeline": PIPELINE, "source": dossier.customer["source"]}
    happened(dossier, today, LEAD_CREATED, data, created_at)
    for place, (before, after) in enumerate(pairwise(way), start=1):
        data = {"pipeline": PIPELINE, "from": before, "to": after}
        moment = created_at + step * place
        happened(dossier, today, STAGE_CHANGED, data, moment)
    return dossier
