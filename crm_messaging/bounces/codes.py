"""What the numbers in a server's answer mean: enhanced status codes (RFC 3463) and reply codes."""

import re
from dataclasses import dataclass

from crm_messaging.feedback import Verdict

_SUBJECTS: dict[str, Verdict] = {
    "1.1": Verdict.HARD_BOUNCE,  # no such mailbox
    "1.2": Verdict.HARD_BOUNCE,  # no such system
    "1.3": Verdict.HARD_BOUNCE,  # not an address at all
    "1.6": Verdict.HARD_BOUNCE,  # moved, no forwarding address
    "1.7": Verdict.BLOCKED,  # the sender's address is wrong
    "1.8": Verdict.BLOCKED,  # the sender's system is wrong
    "1.10": Verdict.HARD_BOUNCE,  # the domain takes no mail (RFC 7505)
    "2.2": Verdict.MAILBOX_FULL,
    "7": Verdict.BLOCKED,  # security and policy, whatever the detail
}
"""By subject and detail (RFC 3463, section 3). Whatever is not here says nothing of the address."""

_CODE = re.compile(r"(?<![\w.])([245])\.([0-7])\.(\d{1,3})(?!\.?\d)")
_REPLY = re.compile(r"(?<![\w.:/-])([245])[0-5]\d(?=[ \-:]|$)")


@dataclass(frozen=True)
class Code:
    """An enhanced status code: its class (2, 4 or 5), and subject and detail as `1.1`."""

    kind: int
    what: str

    @property
    def is_generic(self) -> bool:
        """Whether it says no more than success or failure."""
        return self.what == "0.0"

    @property
    def is_vague(self) -> bool:
        """Whether its detail is "other or undefined" (RFC 3463, section 3.1)."""
        return self.what.endswith(".0")

    @property
    def verdict(self) -> Verdict | None:
        """What the code says by itself; `None` when it says nothing of the address or of us."""
        verdict = _SUBJECTS.get(self.what) or _SUBJECTS.get(self.what.partition(".")[0])
        # "No such mailbox" that may be cured (4.1.1) is what careful servers say while they look.
        return None if self.kind == 4 and verdict is Verdict.HARD_BOUNCE else verdict

    def __str__(self) -> str:
        return f"{self.kind}.{self.what}"


def code_in(text: str) -> Code | None:
    """The first enhanced status code in `text` that says something, else the first at all."""
    codes = [Code(int(kind), f"{subject}.{int(d)}") for kind, subject, d in _CODE.findall(text)]
    return next((code for code in codes if not code.is_generic), codes[0] if codes else None)


def reply_class(text: str) -> int | None:
    """The class (2, 4, 5) of the first SMTP reply code in `text`, such as 550."""
    found = _REPLY.search(text)
    return int(found[1]) if found else None
