"""Another writes and does not end: who wants out is answered soon, and is out the next time."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from making import make_club
from sqlalchemy.exc import OperationalError
from subscription_site import Site, a_site

from crm_console.web.public.app import PATIENCE_S, RETRY_AFTER_S
from crm_messaging.links import Purpose
from crm_store.clubs import country_of
from crm_store.database import Store
from crm_store.locks import Lock, hold

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@contextmanager
def a_writer_at_work(store: Store) -> Iterator[None]:
    """Somebody who takes permission away in a transaction that does not end."""
    at_work, finish = threading.Event(), threading.Event()

    def write() -> None:
        with store.write() as connection:
            hold(connection, Lock.PERMISSION)
            at_work.set()
            assert finish.wait(60)

    writer = threading.Thread(target=write)
    writer.start()
    assert at_work.wait(10)
    try:
        yield
    finally:
        finish.set()
        writer.join()


async def one_click(site: Site) -> tuple[int, float]:
    """The answer's status, and after how many seconds it came."""
    began = monotonic()
    answer = await site.client.post(site.path(Purpose.UNSUBSCRIBE), data=ONE_CLICK, timeout=60)
    if answer.status_code == 503:
        assert answer.headers["retry-after"] == str(RETRY_AFTER_S)
    return answer.status_code, monotonic() - began


async def test_a_one_click_is_answered_while_another_writes(
    sqlite_store: Store, tmp_path: Path
) -> None:
    """RFC 8058: 2xx says that she is out, so nothing else may be said while she is not."""
    async with a_site(sqlite_store, tmp_path) as site:
        with a_writer_at_work(sqlite_store):
            began = monotonic()
            pressed = [asyncio.create_task(one_click(site)) for _ in range(30)]
            # Pages that only read are shown meanwhile.
            assert "Unsubscribe" in await site.get(site.path(Purpose.UNSUBSCRIBE))
            assert monotonic() - began < 2
            for status, took in await asyncio.gather(*pressed):
                assert status == 503
                assert PATIENCE_S - 1 < took < PATIENCE_S + 2.5
            assert not site.is_out()
        assert (await one_click(site))[0] == 200
        assert site.is_out()


def test_who_owes_an_answer_gives_up_where_others_wait(store: Store) -> None:
    club, hasty = make_club(store), store.impatient(0.3)

    def take() -> None:
        with hasty.write() as connection:
            hold(connection, Lock.PERMISSION)

    with a_writer_at_work(store):
        began = monotonic()
        with pytest.raises(OperationalError, match=r"locked|lock timeout"):
            take()
        assert 0.3 <= monotonic() - began < 3
        with hasty.read() as connection:
            assert country_of(connection, club) == "IN"
    take()
    hasty.close()
