"""A receipt's detail is kept and shown for years: it must not hold an address or a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_messaging.channels.wording import MAX_LENGTH, without_addresses


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("250 2.0.0 Ok: queued as 4Fk3j21Zz9", "250 2.0.0 Ok: queued as 4Fk3j21Zz9"),
        ("550 5.1.1 <asha.rao@x.example>: unknown", "550 5.1.1 <address>: unknown"),
        ("550 User asha.rao is unknown", "550 User <address> is unknown"),
        ("550 ASHA.RAO? no; asha.raoji is not she", "550 <address>? no; asha.raoji is not she"),
        ("452 ivan+gym@почта.example full", "452 <address> full"),
        ("HTTP 400 21211: +919876543210 is bad", "HTTP 400 21211: <number> is bad"),
        ("to 98765-43210, or +7 (912) 345-67-89.", "to <number>, or <number>."),
        ("one\r\ntwo\x00\tthree", "one two three"),
        ("from 192.0.2.10 at 10:30", "from 192.0.2.10 at 10:30"),
    ],
)
def test_what_is_kept_of_a_reply(said: str, kept: str) -> None:
    assert without_addresses(said, "asha.rao@x.example") == kept


@pytest.mark.parametrize(
    ("said", "recipient", "kept"),
    [
        ("250 Ok, no more", "ok@x.example", "250 Ok, no more"),
        ("to  the crm  of ours", "crm", "to the <address> of ours"),
        ("to  the crm  of ours", "the crm  of", "to <address> ours"),
        ("to  the crm", "", "to the crm"),
    ],
)
def test_a_name_that_is_also_a_word(said: str, recipient: str, kept: str) -> None:
    assert without_addresses(said, recipient) == kept


@given(st.text(max_size=400), st.emails())
def test_the_recipient_is_never_in_it(text: str, recipient: str) -> None:
    detail = without_addresses(f"{text} {recipient} {text}", recipient)
    assert recipient not in detail
    assert len(detail) <= MAX_LENGTH
    assert detail.isprintable()
