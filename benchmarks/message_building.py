"""What a message costs between its row and the wire, stage by stage, on one thread.

The starter e-mails in all their languages, to people with names in their own script. CPU time, so
that a busy machine disturbs little; every stage of a round runs in that round, so that the ratios
hold even where the figures do not. "Plain" is what the quick way is tested against: everything
rendered and encoded for each message. "Standard library" builds the same message as an
`EmailMessage`.

    python benchmarks/message_building.py [--customers 50] [--rounds 7]
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from machine import load

from crm_messaging.channels.smtp_syntax import on_the_wire
from crm_messaging.club_copy import club_copy
from crm_messaging.compiled import CompiledEmail
from crm_messaging.dkim_signing import DkimSigner
from crm_messaging.form import links_in
from crm_messaging.message import EmailParts, Letter
from crm_messaging.message_fields import with_message_fields
from crm_messaging.mime import Mailbox, Sign, build_email, header_field, message_id_for
from crm_messaging.render import render_email, render_for_wire, values_for
from crm_messaging.template_library import TemplateLibrary
from crm_messaging.wire_text import WireParts
from crm_store.catalogue.standard import catalogue_of

TEMPLATES = Path(__file__).parent.parent / "templates"
CATALOGUE = with_message_fields(catalogue_of())
NAMES = {"en": ("Zoë", "Müller"), "hi": ("आशा", "वर्मा"), "ru": ("Анна", "Волкова")}
CLUB = Mailbox("Lotus Fitness", "hello@lotus.example")
FIELDS = [header_field("Reply-To", "desk@lotus.example")]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SIGNERS = {
    "Ed25519": DkimSigner("lotus.example", "club", Ed25519PrivateKey.generate()),
    "RSA of 2048 bits": DkimSigner("lotus.example", "club", generate_private_key(65537, 2048)),
}

T = TypeVar("T")
Seconds = dict[str, float]


@dataclass(frozen=True)
class Mailing:
    """One template in one language, and the rows of those who get it."""

    compiled: CompiledEmail
    rows: list[dict[str, Any]]


def main() -> None:
    """Run the rounds and print the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, default=50, help="of each template and language")
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args()
    mailings = list(_mailings(chosen.customers))
    messages = len(mailings) * chosen.customers
    rounds, size = [], 0
    for number in range(chosen.rounds + 1):
        measured, size = one_round(mailings)
        if number:  # the first one fills caches
            rounds.append(measured)
    print(f"{messages} messages of {size // messages:,} bytes; {load()}; us of CPU a message")
    for stage in rounds[0]:
        each = [one[stage] / messages * 1e6 for one in rounds]
        print(f"{stage:40} {median(each):8.1f} ({min(each):.1f} to {max(each):.1f})")
    shares = [_quick(one) / one["standard library: build"] for one in rounds]
    print(f"\nrender and build: {median(shares):.3f} of the standard library's build alone")
    shares = [_quick(one) / (one["plain: render"] + one["plain: build"]) for one in rounds]
    print(f"                  {median(shares):.2f} of the plain way")


def _quick(one: Seconds) -> float:
    return one["render"] + one["build"]


def one_round(mailings: Sequence[Mailing]) -> tuple[Seconds, int]:
    """Seconds by stage over all messages, and their bytes."""
    spent: Seconds = defaultdict(float)
    return spent, sum(_measure(mailing, spent) for mailing in mailings)


def _measure(mailing: Mailing, spent: Seconds) -> int:
    """Add the time of a mailing's stages to `spent`; returns its bytes."""

    def timed(stage: str, work: Callable[..., T], *columns: Sequence[Any]) -> list[T]:
        began = time.process_time()
        made = list(map(work, *columns))
        spent[stage] += time.process_time() - began
        return made

    compiled, rows = mailing.compiled, mailing.rows
    values = timed("values", lambda row: values_for(row, compiled.language, CATALOGUE), rows)
    quick = timed("render", partial(_rendered, compiled), values)
    letters = timed("build", _built, quick, rows)
    timed("SMTP's form of it", on_the_wire, letters)
    for name, signer in SIGNERS.items():
        timed(f"build and sign: {name}", partial(_built, sign=signer), quick, rows)
    plain = timed("plain: render", lambda of: render_email(compiled, of), values)
    timed("plain: build", lambda parts, row: _built(WireParts.of(parts), row), plain, rows)
    timed("plain: SMTP's form of it", on_the_wire, list(map(_copy, letters)))
    timed("standard library: build", _by_the_standard_library, plain, rows)
    return sum(len(bytes(one)) for one in letters)


def _mailings(customers: int) -> Iterator[Mailing]:
    library = TemplateLibrary(TEMPLATES, catalogue_of(), list(NAMES))
    for template in library.names("email"):
        for language, (first, last) in NAMES.items():
            compiled = library.load_email(template, language)
            rows = [library.example_row("email", template, language) for _ in range(customers)]
            for number, row in enumerate(rows):
                row.update({"customer.first_name": f"{first} {number}", "customer.last_name": last})
            yield Mailing(compiled, rows)


def _rendered(compiled: CompiledEmail, values: dict[str, Any]) -> WireParts:
    return render_for_wire(club_copy(compiled, values), values, links_in(values))


def _built(parts: WireParts, row: dict[str, Any], sign: Sign | None = None) -> Letter:
    name = f"{row['customer.first_name']} {row['customer.last_name']}"
    return build_email(
        parts,
        sender=CLUB,
        recipient=Mailbox(name, "asha@example.org"),
        message_id=message_id_for(name, "lotus.example"),
        date=NOON,
        fields=FIELDS,
        sign=sign,
    )


def _copy(letter: Letter) -> Letter:
    """The same octets from someone who does not vouch for them."""
    return Letter.of(bytes(letter))


def _by_the_standard_library(parts: EmailParts, row: dict[str, Any]) -> bytes:
    name = f"{row['customer.first_name']} {row['customer.last_name']}"
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Lotus Fitness", "hello", "lotus.example")
    message["To"] = Address(name, "asha", "example.org")
    message["Subject"] = parts.subject
    message["Date"] = NOON
    message["Message-ID"] = message_id_for(name, "lotus.example")
    message["Reply-To"] = "desk@lotus.example"
    message.set_content(parts.text)
    message.add_alternative(parts.html, subtype="html")
    return message.as_bytes()


if __name__ == "__main__":
    main()
