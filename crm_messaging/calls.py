"""A call to another system, made from a step and a customer's values."""

import json
from collections.abc import Mapping
from typing import Any

from crm_messaging.filled_text import FilledText
from crm_messaging.message import OutgoingCall
from crm_messaging.render import values_for
from crm_store.catalogue.field import Catalogue
from crm_store.sending import WEBHOOK
from crm_store.touchpoints import Claimed

REF = "customer.ref"


class CallTexts:
    """What a `webhook` step tells, checked and ready to be filled."""

    def __init__(self, url: str, data: Mapping[str, str], catalogue: Catalogue, language: str):
        """Raises `TemplateUnusable`."""
        self._url, self._catalogue, self._language = url, catalogue, language
        self._texts = {key: FilledText(text, catalogue, language) for key, text in data.items()}
        self.fields = frozenset({REF}).union(*(text.fields for text in self._texts.values()))

    def call(self, touchpoint: Claimed, row: Mapping[str, Any], campaign: str) -> OutgoingCall:
        """The finished call. Raises `RenderError`.

        `type` is the step, as `campaign.step`; `timestamp` is when it came due (ISO 8601, UTC).
        """
        values = values_for(row, self._language, self._catalogue)
        body = {
            "type": f"{campaign}.{touchpoint.step}",
            "timestamp": touchpoint.queued_at.isoformat(),
            "data": {
                "touchpoint": touchpoint.id,
                "occurrence": touchpoint.occurrence,
                "customer": row[REF],
                **{name: text.filled(values) for name, text in self._texts.items()},
            },
        }
        return OutgoingCall(
            touchpoint.id,
            touchpoint.message_id.strip("<>"),
            self._url,
            WEBHOOK,
            json.dumps(body, ensure_ascii=False).encode(),
        )
