"""Fields that are known only as a message is made; the store's catalogue knows the others.

Templates use them as any field; conditions cannot.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from crm_store.catalogue.event_fields import WithEventData
from crm_store.catalogue.field import Catalogue, Field, FieldType
from crm_store.catalogue.values import OfMessage

COUPON = "coupon.code"
UNSUBSCRIBE_URL = "message.unsubscribe_url"
PREFERENCES_URL = "message.preferences_url"
CONFIRM_URL = "message.confirm_url"
LINKS = "message"
"""Fields of this family are links to our own pages."""
_SAMPLE = "AAAAAAAMLAcXqV0fQ3Zk9wAA__8xmkY0ZQ"

MESSAGE_FIELDS = (
    Field(
        COUPON, FieldType.TEXT, "The customer's own coupon code", "RENEW10-7F3K9QXB", OfMessage()
    ),
    *(
        Field(name, FieldType.TEXT, label, f"https://club.example{path}/{_SAMPLE}", OfMessage())
        for name, label, path in (
            (
                UNSUBSCRIBE_URL,
                "Where the customer ends it all; empty in a transactional message",
                "/u",
            ),
            (PREFERENCES_URL, "Where the customer chooses what comes", "/p"),
            (CONFIRM_URL, "Where the customer confirms a wish to be written to", "/ok"),
        )
    ),
)
LINK_FIELDS = frozenset({UNSUBSCRIBE_URL, PREFERENCES_URL, CONFIRM_URL})
_NAMES = frozenset(field.name for field in MESSAGE_FIELDS)


def with_message_fields(catalogue: Catalogue) -> Catalogue:
    """What templates may use: the club's fields, those of the message, and its event's data."""
    return WithEventData(
        (*catalogue, *(one for one in MESSAGE_FIELDS if one.name not in catalogue))
    )


def in_store(fields: Iterable[str]) -> frozenset[str]:
    """Those of the fields that are asked of the store."""
    return frozenset(fields) - _NAMES


def examples(fields: Iterable[str]) -> Mapping[str, Any]:
    """Example values of those of the fields that belong to a message."""
    wanted = frozenset(fields) & _NAMES
    return {field.name: field.example for field in MESSAGE_FIELDS if field.name in wanted}
