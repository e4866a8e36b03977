"""The fields that every club has, and how a club adds its own."""

from collections.abc import Iterable
from typing import Any

from crm_store.catalogue.field import Catalogue, Field, FieldType
from crm_store.catalogue.values import (
    PACKAGES,
    PURCHASES,
    VISITS,
    CountOf,
    DaysSince,
    DaysSinceLatest,
    FirstDay,
    LatestDay,
    LeastOf,
    MembershipDaysLeft,
    MembershipFrozen,
    NameOfCustomer,
    OfClub,
    OfCustom,
    OfCustomer,
    OfMembership,
    PerWeek,
    Scored,
    Segments,
    SumOf,
    Tags,
    YearsSince,
)

TEXT, INTEGER, NUMBER = FieldType.TEXT, FieldType.INTEGER, FieldType.NUMBER
BOOLEAN, DATE, TAGS = FieldType.BOOLEAN, FieldType.DATE, FieldType.TAGS

SCORE = "customer.score"

# fmt: off
STANDARD_FIELDS: tuple[Field, ...] = (
    Field("customer.ref", TEXT, "Reference in the club's own system", "M-1042", OfCustomer("ref"), always=True, personal=True),
    Field("customer.first_name", TEXT, "First name", "Asha", NameOfCustomer("first_name"), personal=True),
    Field("customer.last_name", TEXT, "Last name", "Verma", NameOfCustomer("last_name"), personal=True),
    Field("customer.email", TEXT, "E-mail address", "asha@example.org", OfCustomer("email"), personal=True),
    Field("customer.phone", TEXT, "Phone number, E.164", "+919876543210", OfCustomer("phone"), personal=True),
    Field("customer.language", TEXT, "Language, as BCP 47 writes it", "hi", OfCustomer("language")),
    Field("customer.timezone", TEXT, "Time zone, an IANA name", "Asia/Kolkata", OfCustomer("timezone")),
    Field("customer.birth_date", DATE, "Date of birth", "1992-02-29", OfCustomer("birth_date"), personal=True),
    Field("customer.joined_on", DATE, "Day the customer first joined", "2025-03-01", OfCustomer("joined_on")),
    Field("customer.pipeline", TEXT, "Pipeline the customer is in", "sales", OfCustomer("pipeline")),
    Field("customer.stage", TEXT, "Stage of that pipeline", "trial", OfCustomer("stage")),
    Field("customer.source", TEXT, "Where the customer came from", "instagram", OfCustomer("source")),
    Field("customer.days_since_joined", INTEGER, "Days since the customer first joined", 265, DaysSince("joined_on")),
    Field("customer.years_since_joined", INTEGER, "Whole years since the customer first joined", 1, YearsSince("joined_on")),
    Field("customer.age", INTEGER, "Age in years", 34, YearsSince("birth_date"), personal=True),
    Field(SCORE, INTEGER, "Points: those that steps gave, and those of scores.yaml", 35, Scored(), always=True),
    Field("customer.segments", TAGS, "Segments of segments.yaml the customer is in", ["regulars"], Segments(), always=True),
    Field("customer.tags", TAGS, "Tags the staff gave", ["vip"], Tags(), always=True),
    Field("membership.plan", TEXT, "Plan of the membership", "annual", OfMembership("plan")),
    Field("membership.starts_on", DATE, "First day of the term", "2026-03-12", OfMembership("starts_on")),
    Field("membership.ends_on", DATE, "Last day of the term", "2027-03-11", OfMembership("ends_on")),
    Field("membership.days_left", INTEGER, "Days until the term ends; negative after it", 30, MembershipDaysLeft()),
    Field("membership.auto_renew", BOOLEAN, "Renews by itself", False, OfMembership("auto_renew")),
    Field("membership.status", TEXT, "`active` or `cancelled`", "active", OfMembership("status")),
    Field("membership.frozen", BOOLEAN, "Stands still today", False, MembershipFrozen()),
    Field("visits.total", INTEGER, "Visits so far", 112, CountOf(VISITS), always=True),
    *(
        Field(f"visits.last_{days}d", INTEGER, f"Visits in the last {days} days", days // 8, CountOf(VISITS, days), always=True)
        for days in (7, 14, 30, 60, 90)
    ),
    Field("visits.per_week", NUMBER, "Visits a week, the mean of the last eight weeks", 2.5, PerWeek(VISITS, 8), always=True),
    Field("visits.first_on", DATE, "Day of the first visit", "2025-03-02", FirstDay(VISITS)),
    Field("visits.last_on", DATE, "Day of the latest visit", "2026-11-19", LatestDay(VISITS)),
    Field("visits.days_since_last", INTEGER, "Days since the latest visit", 3, DaysSinceLatest(VISITS)),
    Field("purchases.count", INTEGER, "Purchases so far", 4, CountOf(PURCHASES), always=True),
    Field("purchases.total", NUMBER, "Spent so far, in the club's currency", 18500, SumOf(PURCHASES, "amount", of_none=0), always=True),
    Field("purchases.last_90d", INTEGER, "Purchases in the last 90 days", 2, CountOf(PURCHASES, 90), always=True),
    Field("purchases.last_on", DATE, "Day of the latest purchase", "2026-10-02", LatestDay(PURCHASES)),
    Field("package.remaining", INTEGER, "Sessions left over all packages", 2, SumOf(PACKAGES, "remaining")),
    Field("package.lowest", INTEGER, "Sessions left of the package with the fewest", 2, LeastOf(PACKAGES, "remaining")),
    Field("package.expires_on", DATE, "The first day on which a package expires", "2026-12-31", LeastOf(PACKAGES, "expires_on")),
    *(
        Field(f"club.{column}", TEXT, label, example, OfClub(column), always=True)
        for column, label, example in (
            ("name", "Name of the club", "Lotus Fitness"),
            ("website", "The club's web address", "https://lotus.example"),
            ("phone", "The club's phone number", "+912240001000"),
            ("address", "The club's postal address", "12 MG Road, Pune"),
            ("currency", "The club's currency, ISO 4217", "INR"),
            ("timezone", "The club's time zone, an IANA name", "Asia/Kolkata"),
        )
    ),
)
# fmt: on

CUSTOM_EXAMPLES: dict[FieldType, Any] = {
    TEXT: "strength",
    INTEGER: 3,
    NUMBER: 12.5,
    BOOLEAN: True,
    DATE: "2026-11-22",
}
"""The types a club may give a field of its own, each with an example."""


CUSTOM = "custom."
"""What the names of a club's own fields begin with."""


def custom_field(key: str, kind: FieldType, label: str) -> Field:
    """A field of the club's own, `custom.<key>`."""
    return Field(
        f"{CUSTOM}{key}", kind, label, CUSTOM_EXAMPLES[kind], OfCustom(key, kind), personal=True
    )


def catalogue_of(custom: Iterable[Field] = ()) -> Catalogue:
    """The standard fields and a club's own."""
    return Catalogue((*STANDARD_FIELDS, *custom))
