"""An engine on a scratch store: all of the real one but the ways out of the house."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import NoReturn

from sqlalchemy.engine import make_url

from crm_messaging.message import Channel, MaySend, Outgoing
from crm_store.database import Store, open_store
from crm_store.errors import EnvironmentUnready
from crm_store.keys import KeyRing
from crm_store.scratch import Part, copy_part, copy_to_scratch, empty_scratch
from flows.engine import Engine
from flows.foresight.play import HandClock
from flows.project import Project, keep_facts


@dataclass
class NoWayOut:
    """A channel of a scratch store: a campaign may count on it, and nothing can leave by it."""

    name: str
    concurrency: int = 1

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> NoReturn:
        raise RuntimeError("a scratch store hands nothing over")

    async def close(self) -> None:
        """Nothing is open."""


@contextmanager
def engine_on_copy(project: Project, clock: HandClock) -> Iterator[Engine]:
    """An engine on a copy of the club's store. The store itself is only read.

    The copy is thrown away at the end. Raises `EnvironmentUnready` when there is no store.
    """
    with TemporaryDirectory(prefix="sampark-") as folder:
        store = _open_existing(project)
        try:
            scratch = copy_to_scratch(store, Path(folder) / "copy.db")
        finally:
            store.close()
        try:
            yield engine_on(project, scratch, clock)
        finally:
            scratch.close()


@contextmanager
def engine_on_part(
    project: Project, clock: HandClock, whole: Path, part: Part, path: Path
) -> Iterator[Engine]:
    """An engine on a part of the customers of a scratch store, which is only read.

    The part is kept at `path`, and whoever names that removes it.
    """
    scratch = copy_part(whole, path, project.settings.keys(), part)
    try:
        yield engine_on(project, scratch, clock)
    finally:
        scratch.close()


@contextmanager
def engine_on_nothing(project: Project, clock: HandClock) -> Iterator[Engine]:
    """An engine on an empty scratch store: the club has no customer yet, and every channel."""
    with TemporaryDirectory(prefix="sampark-") as folder:
        # Nobody real is in it: it needs no key of the club's.
        scratch = empty_scratch(Path(folder) / "scratch.db", KeyRing(token_hex()))
        try:
            yield replace(engine_on(project, scratch, clock), channels=_every_channel(project))
        finally:
            scratch.close()


def _open_existing(project: Project) -> Store:
    url = make_url(project.settings.database)
    if url.get_backend_name() == "sqlite" and url.database:
        file = project.folder / url.database
        if not file.is_file():
            raise EnvironmentUnready(
                f"There is no database {file} yet.",
                "Bring in the customers first: sampark import customers FILE",
            )
    keys = project.settings.keys()
    return open_store(project.settings.database, base=project.folder, keys=keys)


def engine_on(project: Project, scratch: Store, clock: HandClock) -> Engine:
    """The club's engine on a store, without any way out."""
    with scratch.write() as connection:
        club_id = keep_facts(project, connection, clock())
    return Engine(
        store=scratch,
        club_id=club_id,
        club_zone=project.zone,
        catalogue=project.catalogue,
        library=project.library,
        sender=None,
        channels=_channels(project),
        clock=clock,
        segments=project.rules.segments,
        transactional=project.settings.transactional,
        opt_in=frozenset(project.settings.consent.opt_in),
        address_fields=project.settings.channels.address_fields,
    )


def _channels(project: Project) -> dict[str, Channel]:
    """Those that the club has; a rehearsal has all that a campaign can name."""
    found = _every_channel(project)
    if project.settings.mode == "rehearsal":
        return found
    channels = {"email": project.settings.channels.email, "sms": project.settings.channels.sms}
    return {name: one for name, one in found.items() if channels.get(name, one) is not None}


def _every_channel(project: Project) -> dict[str, Channel]:
    """All that a campaign can name."""
    names = ("email", "sms", *project.settings.channels.messages, "webhook")
    return {name: NoWayOut(name) for name in names}
