"""Touchpoints as a table, and as JSON."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from crm_console.terminal import many, note, out, plain_table
from crm_store.history import TouchpointRecord
from crm_store.reasons import sentence_of

_STYLE = {
    "accepted": "green",
    "delivered": "green",
    "bounced": "red",
    "complained": "red",
    "rejected": "red",
    "failed": "red",
    "in_doubt": "bold yellow",
}


def show_touchpoints(found: Sequence[TouchpointRecord], zone: ZoneInfo) -> None:
    """Print them, their times in `zone`, and how many there are."""
    if found:
        table = plain_table(
            *("id", "due", "campaign and step", "channel", "customer", "state"),
            whole=("id", "due", "channel", "customer"),
        )
        # A campaign's name in one piece can be copied into the next command.
        table.columns[2].min_width = min(max(len(one.campaign) for one in found), 30)
        for one in found:
            because = sentence_of(one.reason)
            table.add_row(
                str(one.id),
                # As `--since` takes it.
                f"{one.due_at.astimezone(zone):%Y-%m-%d %H:%M}",
                f"{one.campaign} {one.step}",
                one.channel,
                one.customer_ref,
                Text.assemble(
                    (one.state, _STYLE.get(one.state, "")), f": {because}" if because else ""
                ),
            )
        out.print(table)
    note(f"{many(len(found), 'touchpoint')}.")


def touchpoint_json(one: TouchpointRecord) -> dict[str, Any]:
    """The stable form: times in UTC, the customer by her reference."""
    return {
        "id": one.id,
        "campaign": one.campaign,
        "occurrence": one.occurrence,
        "step": one.step,
        "channel": one.channel,
        "customer": one.customer_ref,
        "state": one.state,
        "reason": one.reason,
        "detail": one.detail,
        "due_at": one.due_at.isoformat(),
        "sent_at": one.sent_at.isoformat() if one.sent_at else None,
        "attempts": one.attempts,
        "message_id": one.message_id,
    }
