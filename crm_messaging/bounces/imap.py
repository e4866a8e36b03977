"""A mailbox on an IMAP server (RFC 3501), always encrypted.

A keyword marks what was read, so that people can go on using the folder: reports are seen as
well, everything else stays unread. Where a server keeps no keywords, all is marked as seen.
"""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from imaplib import IMAP4, IMAP4_SSL
from pathlib import Path
from typing import Any

from crm_messaging.bounces.letter import Letter
from crm_messaging.bounces.mail import MAX_READ
from crm_messaging.bounces.settings import BouncesSettings
from crm_store.errors import EnvironmentUnready

KEYWORD = "SamparkRead"
TIMEOUT_S = 30.0
"""For each answer of the server."""


@contextmanager
def imap_mailbox(settings: BouncesSettings, folder: Path) -> Iterator["ImapMailbox"]:
    """A session with the folder open. Raises `EnvironmentUnready`, here and in the methods."""
    try:
        session = _connect(settings, folder)
    except (OSError, IMAP4.error) as error:
        raise _unready(f"The IMAP server {settings.host} cannot be used", error) from error
    try:
        try:
            secret = settings.password.get_secret_value() if settings.password else ""
            session.login(settings.username or "", secret)
        except IMAP4.error as error:
            raise EnvironmentUnready(
                f"The IMAP server {settings.host} does not let {settings.username} in.",
                "Check `username` in club.yaml and SAMPARK_BOUNCES__PASSWORD in .env.",
            ) from error
        with _told(settings):
            mailbox = ImapMailbox(session, settings)
        yield mailbox
    finally:
        try:
            session.logout()
        except (OSError, IMAP4.error):  # the server has hung up already
            with suppress(OSError):
                session.shutdown()


class ImapMailbox:
    """The folder of an open session; letters are called by their UID."""

    def __init__(self, session: IMAP4, settings: BouncesSettings) -> None:
        self._session = session
        self._settings = settings
        quoted = settings.folder.replace("\\", "\\\\").replace('"', '\\"')
        status, _ = session.select(f'"{quoted}"')
        if status != "OK":
            raise EnvironmentUnready(
                f"The IMAP server {settings.host} has no folder {settings.folder}.",
                "Check `bounces: folder:` in club.yaml.",
            )
        # RFC 3501, section 7.1: `\*` where new keywords can be made.
        flags = session.response("PERMANENTFLAGS")[1] or [b""]
        self._keeps_keywords = b"\\*" in (flags[-1] or b"")

    def waiting(self, limit: int) -> list[Letter]:
        """See `Letterbox.waiting`."""
        with _told(self._settings):
            unread = ("UNKEYWORD", KEYWORD) if self._keeps_keywords else ("UNSEEN",)
            found = self._command("SEARCH", "UNDELETED", *unread)
            names = b" ".join(one for one in found if isinstance(one, bytes)).split()[:limit]
            return [letter for name in names if (letter := self._fetch(name.decode()))]

    def mark(self, reports: Sequence[str], others: Sequence[str]) -> None:
        """See `Letterbox.mark`."""
        keyword = (KEYWORD,) if self._keeps_keywords else ("\\Seen",)
        with _told(self._settings):
            for names, flags in ((reports, {*keyword, "\\Seen"}), (others, {*keyword})):
                if names:
                    stored = f"({' '.join(sorted(flags))})"
                    self._command("STORE", ",".join(names), "+FLAGS.SILENT", stored)

    def _fetch(self, name: str) -> Letter | None:
        for part in self._command("FETCH", name, f"(BODY.PEEK[]<0.{MAX_READ}>)"):
            if isinstance(part, tuple):
                return Letter(name, part[1])
        return None  # somebody has removed it meanwhile

    def _command(self, *words: str) -> list[Any]:
        status, said = self._session.uid(*words)
        if status != "OK":
            raise IMAP4.error(f"{words[0]} was refused")
        return said


def _connect(settings: BouncesSettings, folder: Path) -> IMAP4:
    trust = ssl.create_default_context(
        cafile=str(folder / settings.ca_file) if settings.ca_file else None
    )
    if not settings.verify:
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    if settings.tls == "implicit":
        return IMAP4_SSL(settings.host or "", settings.port, ssl_context=trust, timeout=TIMEOUT_S)
    session = IMAP4(settings.host or "", settings.port, timeout=TIMEOUT_S)
    try:
        session.starttls(trust)
    except BaseException:
        session.shutdown()
        raise
    return session


@contextmanager
def _told(settings: BouncesSettings) -> Iterator[None]:
    try:
        yield
    except (OSError, IMAP4.error) as error:
        raise _unready(f"The IMAP server {settings.host} broke off", error) from error


def _unready(what: str, error: Exception) -> EnvironmentUnready:
    # The server's own words may quote a mail.
    why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return EnvironmentUnready(f"{what}: {why}.", "Check `bounces:` in club.yaml, and the server.")
