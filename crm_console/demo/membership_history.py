"""The history of a member: terms, freezes, visits, purchases and packages."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from crm_console.demo.people import at, some_day
from crm_store.dossiers import Dossier, Term
from crm_store.models.membership import MembershipStatus

VISITS_FROM = 180
"""Days before today from which visits are known."""
ITEMS = (("Protein shake", 250), ("Towel", 400), ("Massage", 1_500), ("T-shirt", 900))


@dataclass(frozen=True)
class Plan:
    """What the club sells: its length in days, and its price in rupees."""

    name: str
    days: int
    price: int


ANNUAL = Plan("annual", 365, 24_000)
HALF_YEAR = Plan("half-year", 182, 14_000)
MONTHLY = Plan("monthly", 30, 3_000)


def add_terms(
    dossier: Dossier, chance: Random, plan: Plan, ends_on: date, *, terms: int, auto_renew: bool
) -> None:
    """Give her `terms` terms in a row, the last of which ends on `ends_on`."""
    ref = f"T-{dossier.customer['ref']}"
    for back in range(terms - 1, -1, -1):
        last = ends_on - timedelta(days=back * plan.days)
        first = last - timedelta(days=plan.days - 1)
        made_at = at(first - timedelta(days=chance.randint(0, 5)), 7)
        values: dict[str, Any] = {
            "ref": ref,
            "plan": plan.name,
            "starts_on": first,
            "ends_on": last,
            "auto_renew": auto_renew,
            "status": MembershipStatus.ACTIVE.value,
            "created_at": made_at,
            "updated_at": made_at,
        }
        dossier.terms.append(Term(values))
        dossier.purchases.append(_purchase(dossier, f"Membership, {plan.name}", plan.price, first))
        if back < terms - 1:
            renewed = {"ref": ref, "plan": plan.name, "ends_on": last.isoformat()}
            dossier.events.append(
                {
                    "name": "membership_renewed",
                    "data": renewed,
                    "source": "demo",
                    "source_id": f"renewed:{ref}:{first}",
                    "occurred_at": made_at,
                    "recorded_at": made_at,
                    "handled_at": made_at,
                }
            )
    joined_on = dossier.terms[0].values["starts_on"]
    dossier.customer["joined_on"] = joined_on


def add_freeze(dossier: Dossier, chance: Random, today: date) -> None:
    """Let her latest term stand still: over today, or some weeks ago."""
    term = dossier.terms[-1]
    if chance.random() < 0.5:
        span = (today - timedelta(days=chance.randint(1, 10)), today + timedelta(days=10))
    else:
        first = today - timedelta(days=chance.randint(40, 90))
        span = (first, first + timedelta(days=14))
    if term.values["starts_on"] <= span[0] and span[1] <= term.values["ends_on"]:
        term.freezes.append(span)


def add_visits(dossier: Dossier, chance: Random, today: date) -> None:
    """Visits by one of three habits: regular, fading, or gone for weeks."""
    habit = chance.choices(("regular", "fading", "gone"), (55, 25, 20))[0]
    often = chance.uniform(0.15, 0.55)
    gone_for = chance.randint(20, 120) if habit == "gone" else 0
    morning = chance.random() < 0.45
    known_from = today - timedelta(days=VISITS_FROM)
    for term in dossier.terms:
        day = max(term.values["starts_on"], known_from)
        last = min(term.values["ends_on"], today - timedelta(days=1 + gone_for))
        while day <= last:
            left = (today - day).days / VISITS_FROM
            if chance.random() < often * (left if habit == "fading" else 1):
                hour = chance.randint(6, 9) if morning else chance.randint(17, 20)
                dossier.visits.append(at(day, hour, chance.randrange(60)))
            day += timedelta(days=1)


def add_purchases(dossier: Dossier, chance: Random, today: date) -> None:
    """Things bought at the desk, and for some a package of personal training."""
    joined_on = dossier.customer["joined_on"]
    for _ in range(chance.choice((0, 0, 0, 1, 2, 4))):
        item, price = chance.choice(ITEMS)
        day = some_day(chance, min(joined_on, today), today)
        dossier.purchases.append(_purchase(dossier, item, price, day))
    if chance.random() < 0.12:
        bought_on = some_day(chance, max(joined_on, today - timedelta(days=120)), today)
        dossier.tags.append("pt")
        dossier.purchases.append(_purchase(dossier, "Personal training, 10", 12_000, bought_on))
        dossier.packages.append(
            {
                "package": "pt10",
                "remaining": chance.randint(0, 10),
                "expires_on": bought_on + timedelta(days=150),
                "updated_at": at(bought_on, 7),
            }
        )


def _purchase(dossier: Dossier, item: str, price: int, day: date) -> dict[str, Any]:
    return {
        "ref": f"{dossier.customer['ref']}-{len(dossier.purchases) + 1}",
        "item": item,
        "amount": Decimal(price),
        "purchased_at": at(day, 7),
    }
