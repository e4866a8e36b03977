"""Mails waiting in a mailbox, whatever kind of mailbox it is.

Taking a letter out is two steps: it is read, and once what it says is safe it is marked. Whoever
dies in between finds it again, so a letter may be met twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from crm_messaging.bounces.imap import imap_mailbox
from crm_messaging.bounces.letter import Letter
from crm_messaging.bounces.maildir import Maildir
from crm_messaging.bounces.settings import BouncesSettings


class Letterbox(Protocol):
    """A mailbox. Its methods raise `EnvironmentUnready` when it cannot be used."""

    def waiting(self, limit: int) -> list[Letter]:
        """The oldest letters that are not marked, at most `limit`."""
        ...

    def mark(self, reports: Sequence[str], others: Sequence[str]) -> None:
        """These are not to be met again; `others` stay unread for people."""
        ...


@contextmanager
def open_letterbox(settings: BouncesSettings, folder: Path) -> Iterator[Letterbox]:
    """The mailbox of these settings; relative paths are below `folder`.

    Raises `EnvironmentUnready` when it cannot be reached or lets nobody in.
    """
    if settings.maildir is not None:
        yield Maildir(folder / settings.maildir)
    else:
        with imap_mailbox(settings, folder) as mailbox:
            yield mailbox
