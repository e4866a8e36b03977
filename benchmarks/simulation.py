"""How long it takes to look a year ahead: the starter campaigns over a club of many members.

python -m benchmarks.simulation [MEMBERS] [DAYS]
"""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

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
        began, worked = perf_counter(), process_time()
        result = simulate(project, TODAY, TODAY + timedelta(days=days), assumptions)
        print(
            f"{members:,} members, {days} days, {len(result.campaigns())} campaigns: "
            f"{result.messages:,} messages in {result.passes:,} passes, "
            f"{perf_counter() - began:.1f} s ({process_time() - worked:.1f} s of CPU)"
        )


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:3]]
    main(*given, *(20_000, 365)[len(given) :])
