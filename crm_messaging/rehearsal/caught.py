"""What a rehearsal caught: a folder of e-mails and text messages that went nowhere else.

    mail/{tmp,new,cur}   a standard Maildir: any mail program opens it
    sms/*.json           one file per text message

A file is complete before it has its name, so a reader never sees half a message. Names count
upwards in the order of arrival; the time of arrival is the file's own.
"""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Literal

from crm_messaging.rehearsal.reading import CaughtEmail, CaughtSms, read_email, read_sms

ChannelName = Literal["email", "sms"]

_KEY = re.compile(r"\d{9}-[0-9a-f]{12}")
_KEY_LENGTH = 22
_PREVIEW = 160


@dataclass(frozen=True)
class Caught:
    """One caught message, as a list shows it."""

    key: str
    channel: ChannelName
    recipient: str
    subject: str
    """Empty for a text message."""
    text: str
    language: str
    """A code such as `hi`, or empty when nothing tells."""
    caught_at: datetime
    """UTC."""

    @property
    def preview(self) -> str:
        """The first words, on one line."""
        return " ".join(self.text[: 4 * _PREVIEW].split())[:_PREVIEW]


class CaughtMail:
    """The store of one rehearsal folder. One catcher writes; any number of readers look."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mail = folder / "mail"
        self._sms = folder / "sms"
        # Its owner's alone: a rehearsal writes to real customers' addresses.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for place in (self._mail / "tmp", self._mail / "new", self._mail / "cur", self._sms):
            place.mkdir(parents=True, exist_ok=True)
        self._last = max((int(key.split("-")[0]) for key, _ in self._files()), default=0)
        self._read = lru_cache(maxsize=10_000)(self._read_entry)

    @property
    def identity(self) -> str:
        """The folder by its one absolute name."""
        return str(self.folder.resolve())

    # Catching.

    def catch_email(self, sender: str, recipient: str, content: bytes) -> str:
        """Store one e-mail under the envelope it came in, and give its key.

        The two lines on top are what a mail server adds on final delivery (RFC 5321 §4.4).
        """
        trace = f"Return-Path: <{sender}>\nDelivered-To: {recipient}\n"
        key = self._next_key()
        # A Maildir holds local line ends; `raw` gives SMTP's back.
        stored = trace.encode("utf-8", "replace") + content.replace(b"\r\n", b"\n")
        return self._store(key, self._mail / "new" / key, stored)

    def catch_sms(self, message: CaughtSms) -> str:
        """Store one text message, and give its key."""
        key = self._next_key()
        stored = json.dumps(vars(message), ensure_ascii=False, indent=1)
        return self._store(key, self._sms / f"{key}.json", stored.encode("utf-8", "replace"))

    # Looking.

    def newest(
        self,
        *,
        channel: ChannelName | None = None,
        words: str = "",
        offset: int = 0,
        limit: int = 50,
    ) -> list[Caught]:
        """A page, newest first. Each of `words` must occur in the recipient, subject or text."""
        return list(islice(self._matching(channel, words), offset, offset + limit))

    def count(self, *, channel: ChannelName | None = None, words: str = "") -> int:
        """How many messages `newest` would give without a limit."""
        if not words.strip():
            return sum(1 for _ in self._files(channel))
        return sum(1 for _ in self._matching(channel, words))

    def summary(self, key: str) -> Caught | None:
        """The list's entry for one message; None when there is none of that key."""
        return self._read(key) if _KEY.fullmatch(key) and self._path(key) else None

    def get(self, key: str) -> CaughtEmail | CaughtSms | None:
        """One message taken apart; None when there is none of that key."""
        path = self._path(key)
        if path is None:
            return None
        return read_sms(path.read_bytes()) if self._is_sms(path) else read_email(path.read_bytes())

    def raw(self, key: str) -> bytes | None:
        """An e-mail with CRLF line ends, or the JSON of a text message."""
        path = self._path(key)
        if path is None:
            return None
        stored = path.read_bytes()
        return stored if self._is_sms(path) else stored.replace(b"\n", b"\r\n")

    def clear(self) -> int:
        """Delete everything; how many messages that was."""
        paths = [path for _, path in self._files()]
        for path in paths:
            path.unlink(missing_ok=True)
        self._read.cache_clear()
        return len(paths)

    # Files.

    def _next_key(self) -> str:
        self._last += 1
        return f"{self._last:09d}-{uuid.uuid4().hex[:12]}"

    def _store(self, key: str, path: Path, stored: bytes) -> str:
        unfinished = self._mail / "tmp" / key
        unfinished.write_bytes(stored)
        unfinished.rename(path)
        return key

    def _files(self, channel: ChannelName | None = None) -> Iterator[tuple[str, Path]]:
        places: list[Path] = []
        if channel != "sms":
            # Mail programs move what they have shown to cur/ and add flags to its name.
            places += [self._mail / "new", self._mail / "cur"]
        if channel != "email":
            places += [self._sms]
        for place in places:
            for path in place.iterdir():
                if _KEY.match(path.name):
                    yield path.name[:_KEY_LENGTH], path

    def _path(self, key: str) -> Path | None:
        if not _KEY.fullmatch(key):
            return None  # it may come from a URL
        usual = (self._mail / "new" / key, self._sms / f"{key}.json")
        seen = (self._mail / "cur").glob(f"{key}*")
        return next((path for path in (*usual, *seen) if path.exists()), None)

    def _is_sms(self, path: Path) -> bool:
        return path.parent == self._sms

    def _matching(self, channel: ChannelName | None, words: str) -> Iterator[Caught]:
        wanted = words.casefold().split()
        for key in sorted((key for key, _ in self._files(channel)), reverse=True):
            entry = self._read(key)
            if entry is None:
                continue  # deleted while we looked
            if wanted:
                text = f"{entry.recipient} {entry.subject} {entry.text}".casefold()
                if not all(word in text for word in wanted):
                    continue
            yield entry

    def _read_entry(self, key: str) -> Caught | None:
        path, message = self._path(key), self.get(key)
        if path is None or message is None:
            return None
        is_email = isinstance(message, CaughtEmail)
        return Caught(
            key=key,
            channel="email" if is_email else "sms",
            recipient=message.recipient,
            subject=message.subject if isinstance(message, CaughtEmail) else "",
            text=message.text if isinstance(message, CaughtEmail) else message.body,
            language=message.language,
            caught_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        )
