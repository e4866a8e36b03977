"""What an SMTP server answers: its replies, and the questions that they belong to."""

import asyncio
import re
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from crm_messaging.channels.smtp_outcomes import Fault

_REPLY_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?\Z", re.DOTALL)


class Reply(NamedTuple):
    """A server's reply: its code and its text, lines joined by spaces."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


@lru_cache(maxsize=256)
def line_of_reply(line: bytes) -> tuple[Reply, bool] | None:
    """A line of a reply, and whether it is its last; `None` if it is none. Most are alike."""
    match = _REPLY_LINE.match(line.rstrip(b"\r"))
    if match is None:
        return None
    code, mark, text = match.groups()
    return Reply(int(code), (text or b"").decode("utf-8", "replace").strip()), mark != b"-"


class NoReply(Exception):
    """There is no usable reply, and the connection is closed.

    Raised where something was to be written; else it stands among the answers.
    """

    def __init__(self, fault: Fault, said: str) -> None:
        super().__init__(said)
        self.fault = fault
        self.said = said


Answers: TypeAlias = list[Reply | NoReply]
"""One to each command; or fewer, when the last of them is `NoReply`."""


class Question:
    """Commands that leave in one write, and what the server answers to them.

    All replies wake up the asker once: they mostly come together.
    """

    __slots__ = ("_so_far", "answers", "limit", "wanted")

    def __init__(self, wanted: int, limit: float, answers: asyncio.Future[Answers]) -> None:
        self.wanted = wanted
        """How many replies are still to come."""
        self.limit = limit
        """Seconds to wait for each; from the one before, as it cannot be answered sooner."""
        self.answers = answers
        self._so_far: Answers = []

    def take(self, reply: Reply) -> bool:
        """The next reply; whether it was the last."""
        self._so_far.append(reply)
        self.wanted -= 1
        if self.wanted:
            return False
        if not self.answers.done():  # else its asker has gone
            self.answers.set_result(self._so_far)
        return True

    def give_up(self, why: NoReply) -> None:
        """There will be no more replies."""
        if not self.answers.done():
            self.answers.set_result([*self._so_far, why])
