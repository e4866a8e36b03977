"""Addresses: what is kept, in which form, and what is refused with which words."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.addresses import AddressError, normalise_email, normalise_phone


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("asha@example.org", "asha@example.org"),
        (" Asha@EXAMPLE.org ", "asha@example.org"),
        ("asha+gym@example.org", "asha+gym@example.org"),
        ("info@Пример.РФ", "info@xn--e1afmkfd.xn--p1ai"),
        ("info@xn--e1afmkfd.xn--p1ai", "info@xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_an_email_address_has_one_form(written: str, kept: str) -> None:
    assert normalise_email(written) == kept


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("asha", "@-sign"),
        ("asha@club", "period"),
        ("Asha <asha@example.org>", "angle brackets"),
        ("a b@example.org", "SPACE"),
        ("asha@example.org\nBcc: x@example.org", "invalid characters"),
        ("", "@-sign"),
    ],
)
def test_what_is_no_email_address_is_refused(written: str, says: str) -> None:
    with pytest.raises(AddressError, match=says) as caught:
        normalise_email(written)
    assert "example.org" not in caught.value.reason


@pytest.mark.parametrize(
    ("written", "country", "kept"),
    [
        ("+91 98765 43210", "IN", "+919876543210"),
        ("098765-43210", "IN", "+919876543210"),
        ("919876543210", "IN", "+919876543210"),
        ("00 91 98765 43210", "IN", "+919876543210"),
        ("8 (916) 123-45-67", "RU", "+79161234567"),
        ("+7 916 123 45 67", "IN", "+79161234567"),
    ],
)
def test_a_phone_number_has_one_form(written: str, country: str, kept: str) -> None:
    assert normalise_phone(written, country) == kept


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("12345", "country code \\+91"),
        ("call me", "no phone number"),
        ("9.19877E+11", "rounded"),
        ("9,19877E+11", "rounded"),
        ("+91 98765 4321", "country code \\+91"),
        ("", "no phone number"),
    ],
)
def test_what_is_no_phone_number_is_refused(written: str, says: str) -> None:
    with pytest.raises(AddressError, match=says):
        normalise_phone(written, "IN")


@given(st.sampled_from(["IN", "RU", "US", "AE"]), st.sampled_from(list(range(6))))
def test_every_spelling_of_a_number_becomes_the_same(country: str, form: int) -> None:
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    canonical = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    if form <= 3:  # the library's own four ways of writing one
        assert normalise_phone(phonenumbers.format_number(example, form), country) == canonical
    assert normalise_phone(canonical, "RU") == canonical


@given(st.text(max_size=40))
def test_any_text_is_either_normal_or_refused(text: str) -> None:
    for normalise in (normalise_email, lambda text: normalise_phone(text, "IN")):
        try:
            once = normalise(text)
        except AddressError:
            continue
        assert normalise(once) == once
