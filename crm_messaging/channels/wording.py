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
    line = _of_nobody(text)
    if recipient:  # however odd it is
        line = line.replace(recipient, "<address>")
    name = recipient.rpartition("@")[0] or recipient
    # "ok" and "no" are words before they are mailboxes; and a pattern for each recipient is
    # dear to compile, so only when it is needed.
    if len(name) > 2 and name.lower() in line.lower():
        line = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<address>", line, flags=re.IGNORECASE)
    line = " ".join(line.split())
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"


@lru_cache(maxsize=256)
def _of_nobody(text: str) -> str:
    """Without what is an address or a number by its looks. Servers say the same to most."""
    line = text[:_MAX_READ]
    if not line.isprintable():
        line = "".join(char if char.isprintable() else " " for char in line)
    line = _ADDRESS.sub("<address>", line)
    return _NUMBER.sub("<number>", line)
