"""What happened to the people of the demonstration, as rows of events."""

from datetime import date, datetime, timedelta
from typing import Any

from crm_console.demo.people import at
from crm_store.dossiers import Dossier


def happened(
    dossier: Dossier, today: date, name: str, data: dict[str, Any], moment: datetime
) -> None:
    """Write an event down; those of yesterday and today are news, which a sweep has to look at."""
    is_news = moment >= at(today - timedelta(days=1), 0)
    dossier.events.append(
        {
            "name": name,
            "data": data,
            "source": "demo",
            "source_id": f"{dossier.customer['ref']}:{len(dossier.events) + 1}",
            "occurred_at": moment,
            "recorded_at": moment,
            "handled_at": None if is_news else moment,
        }
    )
