"""The people of the demonstration: name, language, addresses, and what they allow."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import phonenumbers

from crm_console.demo.names import name_in
from crm_store.dossiers import Dossier, Values
from crm_store.models.consent import ANY_TOPIC, Reach

CLUB_ZONE = ZoneInfo("Asia/Kolkata")
DOMAINS = ("example.org", "example.com", "example.net")
"""Reserved by RFC 2606 §3: nobody can ever receive mail there."""
TOPICS = (ANY_TOPIC, ANY_TOPIC, "renewals", "leads", "greetings")
SOURCES = ("instagram", "google", "referral", "walk_in", "website")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of the club's day, in UTC."""
    return datetime.combine(day, time(hour, minute), CLUB_ZONE).astimezone(UTC)


def some_day(chance: Random, first: date, last: date) -> date:
    """A day in [`first`, `last`]."""
    return first + timedelta(days=chance.randint(0, (last - first).days))


class People:
    """Makes people one after another; references, addresses and numbers never repeat."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._numbers: dict[str, Iterator[str]] = {
            country: _numbers(chance, country) for country in ("IN", "RU")
        }
        self._made = 0

    def person(self, created_on: date, *, birthday: date | None = None) -> Dossier:
        """Somebody the club has known since `created_on`; `birthday` is the day it is kept on."""
        chance = self._chance
        self._made += 1
        language = chance.choices(("en", "hi", "ru"), (55, 35, 10))[0]
        name = name_in(language, chance)
        zone = self._zone(language)
        country = "RU" if zone == "Europe/Moscow" else "IN"
        created_at = at(created_on, chance.randint(6, 8), chance.randrange(60))
        missing = chance.choices(("", "email", "phone"), (91, 5, 4))[0]
        address = f"{name.latin}{self._made}@{chance.choice(DOMAINS)}"
        phone = next(self._numbers[country])
        customer: Values = {
            "ref": f"M-{1000 + self._made}",
            "first_name": name.first,
            "last_name": name.last,
            "email": None if missing == "email" else address,
            "phone": None if missing == "phone" else phone,
            "language": language,
            "timezone": zone,
            "birth_date": self._birth_date(birthday),
            "joined_on": None,
            "pipeline": None,
            "stage": None,
            "stage_changed_at": None,
            "source": chance.choice(SOURCES),
            "custom": {},
            "created_at": created_at,
            "updated_at": created_at,
        }
        dossier = Dossier(customer)
        self._permissions(dossier)
        return dossier

    def _zone(self, language: str) -> str:
        if language == "ru":
            return self._chance.choices(("Europe/Moscow", "Asia/Kolkata"), (60, 40))[0]
        zones = ("Asia/Kolkata", "Asia/Dubai", "America/New_York", "Europe/Moscow")
        return self._chance.choices(zones, (94, 3, 2, 1))[0]

    def _birth_date(self, birthday: date | None) -> date | None:
        chance = self._chance
        if birthday is not None:
            year = chance.randrange(1960, 2005, 4)  # leap years: any day exists in them
            return birthday.replace(year=year)
        if chance.random() < 0.05:
            return None
        if chance.random() < 0.004:
            return date(chance.randrange(1960, 2005, 4), 2, 29)
        return some_day(chance, date(1956, 1, 1), date(2007, 12, 31))

    def _permissions(self, dossier: Dossier) -> None:
        chance, customer = self._chance, dossier.customer
        given_at = customer["created_at"]
        for channel, share in (("email", 0.05), ("sms", 0.03)):
            if chance.random() < share:
                dossier.consents.append(
                    {
                        "channel": channel,
                        "topic": chance.choice(TOPICS),
                        "granted": False,
                        "source": "preferences",
                        "proof": "",
                        "given_at": given_at,
                    }
                )
        if customer["email"] and chance.random() < 0.012:
            dossier.suppressions.append(
                {
                    "channel": "email",
                    "address": customer["email"],
                    "reach": Reach.EVERYTHING,
                    "cause": chance.choice(("hard_bounce", "complaint")),
                    "source": "demo",
                    "created_at": given_at,
                }
            )


def _numbers(chance: Random, country: str) -> Iterator[str]:
    """Valid mobile numbers, E.164, no two alike."""
    start, digits = {"IN": ("+919", 9), "RU": ("+79", 9)}[country]
    given: set[str] = set()
    while True:
        number = f"{start}{chance.randrange(10**digits):0{digits}d}"
        if number not in given and phonenumbers.is_valid_number(phonenumbers.parse(number)):
            given.add(number)
            yield number
