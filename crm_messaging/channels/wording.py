"""What a receipt keeps of a server's answer: one line, no addresses, no phone numbers."""

import re

MAX_LENGTH = 200

_ADDRESS = re.compile(r"<?[^\s<>\"'(),;:]+@[^\s<>\"'(),;]+>?")
_NUMBER = re.compile(r"(?<![\w.-])\+?\d[\d ()-]{6,}\d(?![\w.-])")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def without_addresses(text: str, recipient: str = "") -> str:
    """`text` on one line, with e-mail addresses and phone numbers taken out.

    Servers like to name the mailbox alone ("User asha.rao unknown"), so the local part of
    `recipient` is taken out as well where it stands as a word.
    """
    line = _UNPRINTABLE.sub(" ", text)
    line = _ADDRESS.sub("<address>", line)
    line = _NUMBER.sub("<number>", line)
    name = recipient.rpartition("@")[0] or recipient
    if len(name) > 2:  # "ok" and "no" are words before they are mailboxes
        line = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<address>", line, flags=re.IGNORECASE)
    line = " ".join(line.split())
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"
