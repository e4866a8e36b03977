"""How long it takes to look a year ahead: the starter campaigns over a club of many members.

As many processes work at it as are worth it on this machine.

    python -m benchmarks.simulation [MEMBERS] [DAYS]
"""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter

from crm_console.demo.club import fresh_club
from crm_console.demo.population import populate
from flows.foresight.assumptions import Assumptions, response
from flows.foresight.simulation import simulate
from flows.project import open_club

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


def main(members: int, days: int) -> None:
    """Make the club, simulate, and print a line of figures."""
    with TemporaryDirectory(prefix="sampark-") as folder:
        project = fresh_club(Path(folder) / "club")
        with open_club(project, lambda: NOW) as (store, club_id):
            populate(store, club_id, seed=1, today=TODAY, members=members)
        assumptions = Assumptions(
            visits="as_past", responses=(response("membership-renewal.heads_up=60%"),)
        )
        began, worked = perf_counter(), _cpu_seconds()
        result = simulate(project, TODAY, TODAY + timedelta(days=days), assumptions)
        print(
            f"{members:,} members, {days} days, {len(result.campaigns())} campaigns: "
            f"{result.messages:,} messages in {result.passes:,} passes, "
            f"{perf_counter() - began:.1f} s in {result.processes} processes "
            f"({_cpu_seconds() - worked:.1f} s of CPU)"
        )


def _cpu_seconds() -> float:
    """Of this process and all that it has waited for."""
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:3]]
    main(*given, *(20_000, 365)[len(given) :])
