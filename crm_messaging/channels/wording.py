"""What a receipt keeps of a server's answer: one line, no addresses, no phone numbers."""

import re
from functools import lru_cache

MAX_LENGTH = 200
_MAX_READ = 1000

_ADDRESS = re.compile(r"<?[^\s<>\"'(),;:]+@[^\s<>\"'(),;]+>?")
_NUMBER = re.compile(r"(?<![\w.-])\+?\d(?:[ ()-]{0,2}\d){8,}(?![\w-])")


def without_addresses(text: str, recipient: str = "") -> str:
    """`text` on one line, with e-mail addresses and phone numbers taken out.

    Servers like to name the mailbox alone ("User asha.rao unknown"), so the local part of
    `recipient` is taken out as well where it stands as a word.
    """
    line, lowered, tidy = _of_nobody(text)
    name = recipient.rpartition("@")[0] or recipient
    if not recipient or (name.lower() not in lowered and recipient not in line):
        return tidy
    line = line.replace(recipient, "<address>")
    # "ok" and "no" are words before they are mailboxes.
    if len(name) > 2:
        line = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<address>", line, flags=re.IGNORECASE)
    return _on_one_line(line)


@lru_cache(maxsize=256)
def _of_nobody(text: str) -> tuple[str, str, str]:
    """Without what is an address or a number by its looks; in small letters; on one line.

    Servers say the same to most.
    """
    line = text[:_MAX_READ]
    if not line.isprintable():
        line = "".join(char if char.isprintable() else " " for char in line)
    line = _ADDRESS.sub("<address>", line)
    line = _NUMBER.sub("<number>", line)
    return line, line.lower(), _on_one_line(line)


def _on_one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"
