"""Which secret keys a store was used with: a key that was changed is noticed, and named."""

from datetime import datetime

from sqlalchemy import Connection, select

from crm_store.errors import EnvironmentUnready
from crm_store.inserting import insert_new
from crm_store.keys import EARLIER_VARIABLE, VARIABLE, KeyRing
from crm_store.models.operation import KeyMark
from crm_store.tables import table_of

_MARK = table_of(KeyMark)


class WrongSecretKey(EnvironmentUnready):
    """The store was used with a key that is not at hand: its opt-outs could not be found."""

    def __init__(self, missing: str, given: str) -> None:
        super().__init__(
            f"{VARIABLE} has changed: this database was used with the key {missing}, and the one"
            f" now set is {given}. Nothing is sent: addresses that are suppressed could not be"
            " recognised.",
            f"Set it back; or, if it was changed on purpose, put the earlier one into"
            f" {EARLIER_VARIABLE} (several with commas between them).",
        )


def keep_keys(connection: Connection, keys: KeyRing, now: datetime) -> None:
    """Note the newest key's fingerprint; raise `WrongSecretKey` if one of before is not given."""
    known = set(connection.execute(select(_MARK.c.fingerprint)).scalars())
    newest = keys.fingerprints[0]
    missing = sorted(known.difference(keys.fingerprints))
    if missing:
        raise WrongSecretKey(missing[0], newest)
    if newest not in known:
        connection.execute(
            insert_new(connection, _MARK), {"fingerprint": newest, "first_seen_at": now}
        )
