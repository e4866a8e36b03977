"""Addresses in the one form in which the store keeps and compares them."""

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat

from crm_store.errors import SamparkError

_ROUNDED = re.compile(r"\d[.,]\d+E\+?\d+", re.IGNORECASE)


class AddressError(SamparkError):
    """An address that cannot be written to. The text never repeats the address."""


def normalise_email(text: str) -> str:
    """The address in lower case, its domain in ASCII (IDNA); no look at the DNS.

    RFC 5321 §2.4 lets a server tell `Asha@` from `asha@`. None that matters does, and an
    opt-out under one spelling must hold for the other.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise AddressError(
            f"This is no e-mail address: {_sentence(str(error))}", "Write it as name@example.org."
        ) from error
    return f"{found.local_part.lower()}@{found.ascii_domain}"


def normalise_phone(text: str, country: str) -> str:
    """The number as E.164, such as ``+919876543210``.

    `country` (ISO 3166-1 alpha-2) is where a number without a country code belongs.
    """
    if _ROUNDED.search(text):
        raise AddressError(
            "A spreadsheet has rounded this phone number.",
            "Format the column as text and export it again.",
        )
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException as error:
        raise AddressError(
            "This is no phone number.", "Write it as +919876543210 or as it is dialled locally."
        ) from error
    if not phonenumbers.is_valid_number(number):
        raise AddressError(
            f"No such phone number can exist in country code +{number.country_code}.",
            "Look for a missing or an extra digit; a number of another country begins with +.",
        )
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:]
