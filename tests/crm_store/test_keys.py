"""The secret key: what hangs on it, and what a change of it does."""

from datetime import timedelta
from pathlib import Path

import pytest
from making import NOW

from crm_store.database import Store, keys_of, open_store
from crm_store.key_marks import WrongSecretKey, keep_keys
from crm_store.keys import KeyRing, NoSecretKey

OLD, NEW = "an old key, long since gone from .env", "a new key, made with secrets.token"


def keep(store: Store, *keys: str) -> None:
    with store.write() as connection:
        keep_keys(connection, KeyRing(*keys[:1], keys[1:]), NOW + timedelta(days=1))


def test_each_purpose_has_a_key_of_its_own_and_none_tells_of_the_secret() -> None:
    ring = KeyRing(NEW, [OLD])
    made = {key for purpose in ("address", "unsubscribe") for key in ring.derived(purpose)}
    assert len(made) == 4
    assert all(len(key) == 32 for key in made)
    assert ring.derived("address")[1:] == KeyRing(OLD).derived("address")
    shown = repr(ring)
    assert NEW not in shown
    assert shown == f"KeyRing({', '.join(ring.fingerprints)})"


def test_a_key_that_was_changed_is_noticed_and_named(store: Store) -> None:
    keep(store, OLD)
    keep(store, OLD)
    with pytest.raises(WrongSecretKey) as refused:
        keep(store, NEW)
    for key in (OLD, NEW):
        assert KeyRing(key).fingerprints[0] in refused.value.reason
    assert "SAMPARK_SECRET_KEY_PREVIOUS" in refused.value.instruction


def test_a_key_that_was_changed_on_purpose_is_accepted_beside_the_one_before(store: Store) -> None:
    keep(store, OLD)
    keep(store, NEW, OLD)
    with pytest.raises(WrongSecretKey):
        keep(store, OLD)  # what was hashed since then would not be recognised
    with pytest.raises(WrongSecretKey):
        keep(store, NEW)


def test_without_a_key_nobodys_permission_can_be_looked_up(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'club.db'}")
    with store.read() as connection, pytest.raises(NoSecretKey, match="is not set"):
        keys_of(connection)
    store.close()
