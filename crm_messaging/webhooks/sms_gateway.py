"""What a gateway that club.yaml describes tells us: delivery reports and incoming messages."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs

from crm_messaging.channels.gateway_settings import Incoming, Reports
from crm_messaging.channels.wording import without_addresses
from crm_messaging.feedback import Feedback
from crm_messaging.incoming import IncomingText
from crm_messaging.json_path import at_path, text_at


def told_by(query: str, content_type: str, body: bytes) -> object:
    """What a request says: its JSON, its form, or the parameters of its URL.

    Raises `ValueError` when the body is not what it says it is.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if body and kind.endswith("json"):
        try:
            return json.loads(body)
        except RecursionError:
            raise ValueError("nested too deeply") from None
    read = parse_qs(body.decode() if body else query, keep_blank_values=True, max_num_fields=500)
    return {name: values[0] for name, values in read.items()}


def feedback_of(told: object, reports: Reports, channel: str = "sms") -> list[Feedback]:
    """What a delivery report says of each message; what it does not understand is passed over."""
    found = []
    for one in _each(told, reports.each):
        status = text_at(one, reports.status)
        reference, ours = text_at(one, reports.reference), text_at(one, reports.id)
        verdict = reports.statuses.get(status or "")
        if verdict is None or not (reference or ours):
            continue
        found.append(
            Feedback(
                verdict,
                channel,
                message_id=f"<{ours.strip('<>')}>" if ours else None,
                provider_ref=reference,
                status=(text_at(one, reports.code) or "")[:16],
                detail=without_addresses(f"gateway: {status}"),
                source_id=f"{channel}:{reference or ours}:{status}",
            )
        )
    return found


def incoming_of(told: object, incoming: Incoming, channel: str = "sms") -> list[IncomingText]:
    """The text messages that customers wrote."""
    found = []
    for one in _each(told, incoming.each):
        sender, text = text_at(one, incoming.from_), text_at(one, incoming.text)
        if not sender or text is None:
            continue
        found.append(IncomingText(channel, sender, text, text_at(one, incoming.id)))
    return found


def _each(told: object, path: str | None) -> Iterator[object]:
    node = at_path(told, path) if path else told
    yield from node if isinstance(node, list) else [node]
