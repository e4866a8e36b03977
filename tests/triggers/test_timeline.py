"""Marketers' time and the world's clocks: each row is a date on which programs go wrong."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.clock import Hours, parse_hours
from triggers.definition import CampaignDefinition
from triggers.timeline import birthday_in, instant, quiet_until, step_due

KOLKATA, NEW_YORK = "Asia/Kolkata", "America/New_York"


def campaign(trigger: str, at: str, **more: Any) -> CampaignDefinition:
    step = {"id": "s", "at": at, "email": "a/b"}
    if "step_time" in more:
        step["time"] = more.pop("step_time")
    return CampaignDefinition.model_validate(
        {
            "campaign": "c",
            "name": "C",
            "topic": "t",
            "trigger": {"type": trigger},
            "steps": [step],
            "defaults": more,
        }
    )


def due(definition: CampaignDefinition, anchor: date | datetime, zone: str) -> str:
    moment = step_due(
        definition.steps[0],
        definition,
        anchor_on=None if isinstance(anchor, datetime) else anchor,
        anchor_at=anchor if isinstance(anchor, datetime) else None,
        zone=ZoneInfo(zone),
    )
    assert moment.tzinfo is UTC
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %z")


@pytest.mark.parametrize(
    ("day", "clock", "zone", "expected"),
    [
        # The clocks skip this time: the first moment after the gap.
        ("2026-03-08", "02:30", "America/New_York", "2026-03-08 03:00 -0400"),
        ("2026-03-08", "02:00", "America/New_York", "2026-03-08 03:00 -0400"),
        ("2026-10-04", "02:15", "Australia/Lord_Howe", "2026-10-04 02:30 +1100"),
        ("2026-09-06", "00:30", "America/Santiago", "2026-09-06 01:00 -0300"),
        ("2026-03-29", "00:00", "Asia/Beirut", "2026-03-29 01:00 +0300"),
        ("2026-04-24", "00:30", "Africa/Cairo", "2026-04-24 01:00 +0300"),
        # A whole day that never was: Samoa went from 29 to 31 December.
        ("2011-12-30", "10:00", "Pacific/Apia", "2011-12-31 00:00 +1400"),
        # Just beside a gap nothing moves.
        ("2026-03-08", "01:59", "America/New_York", "2026-03-08 01:59 -0500"),
        ("2026-03-08", "03:00", "America/New_York", "2026-03-08 03:00 -0400"),
        ("2026-03-28", "23:59", "Asia/Beirut", "2026-03-28 23:59 +0200"),
        # This time comes twice: the first of the two.
        ("2026-11-01", "01:30", "America/New_York", "2026-11-01 01:30 -0400"),
        ("2026-11-01", "01:00", "America/New_York", "2026-11-01 01:00 -0400"),
        ("2026-11-01", "02:00", "America/New_York", "2026-11-01 02:00 -0500"),
        ("2026-04-05", "01:45", "Australia/Lord_Howe", "2026-04-05 01:45 +1100"),
        # Both sides of the date line, and a quarter-hour zone.
        ("2026-01-01", "10:00", "Pacific/Kiritimati", "2026-01-01 10:00 +1400"),
        ("2026-01-01", "10:00", "Pacific/Niue", "2026-01-01 10:00 -1100"),
        ("2026-01-01", "00:00", "Asia/Kathmandu", "2026-01-01 00:00 +0545"),
    ],
)
def test_a_clock_time_on_a_day(day: str, clock: str, zone: str, expected: str) -> None:
    moment = instant(date.fromisoformat(day), time.fromisoformat(clock), ZoneInfo(zone))
    assert moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %z") == expected


@pytest.mark.parametrize(
    ("anchor", "at", "zone", "settings", "expected"),
    [
        ("2027-03-11", "-30d", KOLKATA, {}, "2027-02-09 10:00 +0530"),
        ("2027-03-11", "-2w", KOLKATA, {"time": "09:15"}, "2027-02-25 09:15 +0530"),
        ("2027-03-11", "+3d", KOLKATA, {"time": "09:15", "step_time": "18:00"},
         "2027-03-14 18:00 +0530"),
        ("2027-03-11", "0d", "Pacific/Kiritimati", {}, "2027-03-11 10:00 +1400"),
        ("2027-03-11", "0d", "Pacific/Niue", {}, "2027-03-11 10:00 -1100"),
        # Hours from a day count from that day at its time, and really pass.
        ("2027-03-11", "+2h", KOLKATA, {}, "2027-03-11 12:00 +0530"),
        ("2027-03-11", "-12h", KOLKATA, {"time": "09:00"}, "2027-03-10 21:00 +0530"),
        ("2026-03-07", "+24h", NEW_YORK, {}, "2026-03-08 11:00 -0400"),
        ("2026-03-07", "+1d", NEW_YORK, {}, "2026-03-08 10:00 -0400"),
        ("2026-03-07", "now", NEW_YORK, {}, "2026-03-07 10:00 -0500"),
        # Month ends and leap days.
        ("2028-03-01", "-1d", KOLKATA, {}, "2028-02-29 10:00 +0530"),
        ("2027-03-01", "-1d", KOLKATA, {}, "2027-02-28 10:00 +0530"),
        ("2027-12-31", "+1d", KOLKATA, {}, "2028-01-01 10:00 +0530"),
        # Imports write "for ever" like this; it must not stop a sweep.
        ("9999-12-31", "+3d", "Pacific/Niue", {"time": "23:59"}, "9000-01-01 23:59 -1100"),
        ("0001-01-01", "-3d", "UTC", {}, "1000-01-01 10:00 +0000"),
    ],
)  # fmt: skip
def test_due_from_a_day(
    anchor: str, at: str, zone: str, settings: dict[str, str], expected: str
) -> None:
    definition = campaign("membership_expiring", at, **settings)
    assert due(definition, date.fromisoformat(anchor), zone) == expected


@pytest.mark.parametrize(
    ("anchor", "at", "zone", "settings", "expected"),
    [
        ("2026-11-22T18:40:30+00:00", "now", KOLKATA, {}, "2026-11-23 00:10 +0530"),
        ("2026-11-22T18:40:30+00:00", "+15m", KOLKATA, {"time": "10:30"}, "2026-11-23 00:25 +0530"),
        # The day is the customer's: in Pune it is already the 23rd.
        ("2026-11-22T18:40:30+00:00", "+1d", KOLKATA, {"time": "10:30"}, "2026-11-24 10:30 +0530"),
        ("2026-11-22T18:40:30+00:00", "+1d", NEW_YORK, {"time": "10:30"}, "2026-11-23 10:30 -0500"),
        # No time anywhere: the lead's own clock time.
        ("2026-11-22T18:40:30+00:00", "+1d", KOLKATA, {}, "2026-11-24 00:10 +0530"),
        ("2026-03-07T23:30:00+00:00", "+1d", NEW_YORK, {}, "2026-03-08 18:30 -0400"),
        ("2026-03-07T23:30:00+00:00", "+24h", NEW_YORK, {}, "2026-03-08 19:30 -0400"),
        ("2026-03-07T07:30:00+00:00", "+1d", NEW_YORK, {}, "2026-03-08 03:00 -0400"),
        # In the hour that comes twice, day 0 is the moment itself, not an hour before it.
        ("2026-11-01T06:30:00+00:00", "0d", NEW_YORK, {}, "2026-11-01 01:30 -0500"),
        ("2026-01-01T09:59:00+00:00", "0d", "Pacific/Kiritimati", {"time": "08:00"},
         "2026-01-01 08:00 +1400"),
        ("2026-01-01T10:01:00+00:00", "0d", "Pacific/Kiritimati", {"time": "08:00"},
         "2026-01-02 08:00 +1400"),
        ("2026-01-01T10:59:00+00:00", "0d", "Pacific/Niue", {"time": "08:00"},
         "2025-12-31 08:00 -1100"),
    ],
)  # fmt: skip
def test_due_from_a_moment(
    anchor: str, at: str, zone: str, settings: dict[str, str], expected: str
) -> None:
    assert (
        due(campaign("new_lead", at, **settings), datetime.fromisoformat(anchor), zone) == expected
    )


def test_a_step_needs_an_anchor() -> None:
    definition = campaign("birthday", "0d")
    with pytest.raises(ValueError, match="does not fit the trigger"):
        step_due(
            definition.steps[0], definition, anchor_on=None, anchor_at=None, zone=ZoneInfo("UTC")
        )


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (2023, "2023-02-28"),
        (2024, "2024-02-29"),
        (2025, "2025-02-28"),
        (2026, "2026-02-28"),
        (2027, "2027-02-28"),
        (2028, "2028-02-29"),
        (2100, "2100-02-28"),
    ],
)
def test_a_birthday_on_29_february(year: int, expected: str) -> None:
    assert birthday_in(date(1992, 2, 29), year).isoformat() == expected


@pytest.mark.parametrize(
    ("birth", "year", "expected"),
    [("1992-02-28", 2028, "2028-02-28"), ("1990-12-31", 2026, "2026-12-31")],
)
def test_any_other_birthday(birth: str, year: int, expected: str) -> None:
    assert birthday_in(date.fromisoformat(birth), year).isoformat() == expected


@pytest.mark.parametrize(
    ("quiet", "now", "zone", "end"),
    [
        ("21:00-10:00", "2026-11-22 20:59", KOLKATA, None),
        ("21:00-10:00", "2026-11-22 21:00", KOLKATA, "2026-11-23 10:00 +0530"),
        ("21:00-10:00", "2026-11-23 00:00", KOLKATA, "2026-11-23 10:00 +0530"),
        ("21:00-10:00", "2026-11-23 09:59", KOLKATA, "2026-11-23 10:00 +0530"),
        ("21:00-10:00", "2026-11-23 10:00", KOLKATA, None),
        ("13:00-15:30", "2026-11-23 12:59", KOLKATA, None),
        ("13:00-15:30", "2026-11-23 13:00", KOLKATA, "2026-11-23 15:30 +0530"),
        ("13:00-15:30", "2026-11-23 15:30", KOLKATA, None),
        ("00:00-08:00", "2026-11-23 00:00", KOLKATA, "2026-11-23 08:00 +0530"),
        ("22:00-00:00", "2026-11-23 23:59", KOLKATA, "2026-11-24 00:00 +0530"),
        # The end falls into a gap; the end comes twice.
        ("21:00-02:30", "2026-03-08 01:59", NEW_YORK, "2026-03-08 03:00 -0400"),
        ("21:00-02:30", "2026-03-08 03:00", NEW_YORK, None),
        ("21:00-01:30", "2026-11-01 00:30", NEW_YORK, "2026-11-01 01:30 -0500"),
        # The start falls into a gap of a whole midnight.
        ("00:00-08:00", "2026-03-29 01:00", "Asia/Beirut", "2026-03-29 08:00 +0300"),
        ("00:00-08:00", "2026-04-24 01:30", "Africa/Cairo", "2026-04-24 08:00 +0300"),
        ("21:00-10:00", "2011-12-31 05:00", "Pacific/Apia", "2011-12-31 10:00 +1400"),
    ],
)
def test_quiet_hours(quiet: str, now: str, zone: str, end: str | None) -> None:
    here = ZoneInfo(zone)
    moment = datetime.fromisoformat(now).replace(tzinfo=here)
    until = quiet_until(moment, here, parse_hours(quiet))
    shown = until and until.astimezone(here).strftime("%Y-%m-%d %H:%M %z")
    assert shown == end


ZONES = st.sampled_from(
    [NEW_YORK, KOLKATA, "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut", "Africa/Cairo"]
).map(ZoneInfo)
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(moment=MOMENTS, zone=ZONES, start=MINUTES, end=MINUTES)
def test_what_the_clock_calls_quiet_is_quiet(
    moment: datetime, zone: ZoneInfo, start: time, end: time
) -> None:
    inside = Hours(start, end).holds(moment.astimezone(zone).time())
    until = quiet_until(moment, zone, Hours(start, end))
    if start != end and inside:
        assert until is not None
    if until is not None:
        assert moment < until <= moment + timedelta(hours=26)
        assert quiet_until(until, zone, Hours(start, end)) is None or start == end


@given(
    moment=MOMENTS,
    zone=st.sampled_from(["Pacific/Kiritimati", "Pacific/Niue", NEW_YORK, KOLKATA]).map(ZoneInfo),
    at=st.sampled_from(["-30d", "0d", "+3d", "+2h", "-90m", "now"]),
    clock=st.sampled_from([None, "00:00", "10:30", "23:59"]),
    trigger=st.sampled_from(["new_lead", "birthday"]),
)
def test_the_span_of_a_campaign_holds_every_step(
    moment: datetime, zone: ZoneInfo, at: str, clock: str | None, trigger: str
) -> None:
    definition = campaign(trigger, at, **({"time": clock} if clock else {}))
    by_day = trigger == "birthday"
    anchor = datetime.combine(moment.date(), time(0), UTC) if by_day else moment
    moment_due = step_due(
        definition.steps[0],
        definition,
        anchor_on=anchor.date() if by_day else None,
        anchor_at=None if by_day else anchor,
        zone=zone,
    )
    earliest, latest = definition.span()
    assert earliest <= moment_due - anchor <= latest
