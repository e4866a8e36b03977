"""What a text message is going to cost, by the prices that club.yaml names."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from crm_messaging.channels.sms_settings import ANY_COUNTRY
from crm_messaging.national_shift import NationalSize, national_size
from crm_messaging.sms_segments import Header, SmsSize, count


@dataclass(frozen=True)
class SmsEstimate:
    """Size and price of one text message to one country."""

    size: SmsSize
    country: str
    """ISO 3166-1 alpha-2."""
    cost: Decimal | None
    """Of all its segments, in the club's currency; `None` without a price for the country."""
    national: NationalSize | None
    """What it would take in its language's own shift tables, where that is less. Not every
    operator and phone knows them, so it is not what the cost is made of."""


def estimate(
    text: str, country: str, prices: Mapping[str, Decimal], header: Header = 6
) -> SmsEstimate:
    """Size and price of `text`."""
    size = count(text, header)
    price = prices.get(country, prices.get(ANY_COUNTRY))
    national = national_size(text) if size.encoding == "UCS-2" else None
    if national is not None and national.segments >= size.segments:
        national = None
    return SmsEstimate(size, country, None if price is None else price * size.segments, national)


def country_of(number: str) -> str | None:
    """The country of a number in E.164; `None` for what belongs to none, such as a satellite's."""
    # Its tables take longer to load than a whole preview: only a customer's own number asks them.
    import phonenumbers

    region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    return region if region and region != "001" else None
