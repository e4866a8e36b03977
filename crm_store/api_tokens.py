"""Tokens of the HTTP API: made once, kept as hashes, taken back at once."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select

from crm_store.errors import UnknownName, UsageError
from crm_store.models.api_token import ApiToken
from crm_store.tables import table_of

_TOKEN = table_of(ApiToken)
PREFIX = "sampark_"
"""So that scanners of repositories know a token when they see one."""


@dataclass(frozen=True)
class TokenCard:
    """What is known of a token; the token itself is not."""

    name: str
    created_at: datetime


def create(connection: Connection, club_id: int, name: str, now: datetime) -> str:
    """A new token, to be shown this once. Raises `UsageError` for a name that is taken."""
    if name in {card.name for card in tokens(connection, club_id)}:
        raise UsageError(
            f"There is a token {name} already.", f"Take it back first: sampark token revoke {name}"
        )
    token = PREFIX + secrets.token_urlsafe(32)
    row = {"club_id": club_id, "name": name, "token_hash": _hash(token), "created_at": now}
    connection.execute(insert(_TOKEN), row)
    return token


def tokens(connection: Connection, club_id: int) -> Sequence[TokenCard]:
    """The club's tokens, by name."""
    rows = connection.execute(
        select(_TOKEN.c.name, _TOKEN.c.created_at)
        .where(_TOKEN.c.club_id == club_id)
        .order_by(_TOKEN.c.name)
    )
    return [TokenCard(*row) for row in rows]


def revoke(connection: Connection, club_id: int, name: str) -> None:
    """Take a token back; it opens nothing from this commit on. Raises `UnknownName`."""
    gone = connection.execute(
        delete(_TOKEN).where(_TOKEN.c.club_id == club_id, _TOKEN.c.name == name)
    )
    if not gone.rowcount:
        raise UnknownName(f"There is no token {name}.", "`sampark token list` names them.")


def owner(connection: Connection, club_id: int, token: str) -> str | None:
    """Whose token this is; `None` when it is nobody's."""
    found: str | None = connection.scalar(
        select(_TOKEN.c.name).where(
            _TOKEN.c.club_id == club_id, _TOKEN.c.token_hash == _hash(token)
        )
    )
    return found


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
