"""A year of sweeps against its simulation: the starter's campaigns, and a few more, row for row.

    python tests/year/full.py [--members 300] [--days 365] [--every MINUTES] [--starter]

A club is simulated. Then it is really swept, at the simulation's own moments, over SMTP and HTTP
into the catchers, while its people do what they did there. It prints both counts, and ends with 1
where they differ. With `--every` it sweeps that often besides: then the rows are compared by their
day, and a few differ that caps and lateness put on one side or the other of an hour.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from year.club import HERE, TODAY, make_club  # noqa: E402 - the two lines above let it be found
from year.compared import Facts  # noqa: E402
from year.proof import Proof, prove  # noqa: E402

SHOWN = 12


def main() -> int:
    """Prove it and tell; 1 when it is not so."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--members", type=int, default=300)
    options.add_argument("--days", type=int, default=365)
    options.add_argument("--every", type=int, metavar="MINUTES")
    options.add_argument("--starter", action="store_true", help="the starter's campaigns alone")
    chosen = options.parse_args()
    last = TODAY + timedelta(days=chosen.days - 1)
    every = timedelta(minutes=chosen.every) if chosen.every else None
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sampark-year-") as folder:
        project = make_club(Path(folder) / "club", chosen.members, more=not chosen.starter)
        proof = prove(project, TODAY, last, HERE / "assumptions.yaml", every)
    show(proof)
    print(f"{time.monotonic() - began:.0f} s")
    return 0 if proof.holds else 1


def show(proof: Proof) -> None:
    """The figures, side by side, and the first rows that differ."""
    simulated, real = proof.simulated, proof.swept.facts
    print(f"{proof.sweeps} sweeps, {proof.visits} visits, {proof.deeds} events; messages:")
    print(f"{'campaign':20}{'entered':>16}{'simulated':>11}{'ledger':>8}{'caught':>8}  not sent")
    for campaign in sorted({one.campaign for one in (*simulated.stays, *real.stays)}):
        entered = f"{_entered(simulated, campaign)} / {_entered(real, campaign)}"
        sent = [_sent(facts, campaign) for facts in (simulated, real)]
        left = [_not_sent(facts, campaign) for facts in (simulated, real)]
        told = left[0] if left[0] == left[1] else f"{left[0]} / {left[1]}"
        caught = proof.caught[campaign]
        print(f"{campaign:20}{entered:>16}{sent[0]:11}{sent[1]:8}{caught:8}  {told}")
    sent_in_all = (simulated.sent().total(), real.sent().total(), proof.caught.total())
    print(f"{'all':20}{'':16}{sent_in_all[0]:11}{sent_in_all[1]:8}{sent_in_all[2]:8}")
    cells, other = proof.cells
    print(f"By campaign, step, channel and day: {cells} figures, {other} of them differ.")
    print(f"Ledger and catchers hold the same ids, each once: {proof.swept.catchers.agrees}.")
    waits = [f"{counts.total()} times" for counts in proof.postponed]
    print(f"Something had to wait: simulated {waits[0]}, swept {waits[1]}.")
    for name, (same, only_simulated, only_real) in proof.rows().items():
        print(f"{name}: {same} the same, {len(only_simulated)} and {len(only_real)} are not.")
        for side, rows in (("simulated", only_simulated), ("swept", only_real)):
            for row in sorted(rows, key=str)[:SHOWN]:
                print(f"    {side:10}{tuple(map(str, row))}")


def _entered(facts: Facts, campaign: str) -> int:
    return sum(one.campaign == campaign for one in facts.stays)


def _sent(facts: Facts, campaign: str) -> int:
    return sum(one.campaign == campaign and one.sent_at is not None for one in facts.touches)


def _not_sent(facts: Facts, campaign: str) -> str:
    reasons = Counter(
        one.reason or one.state
        for one in facts.touches
        if one.campaign == campaign and one.sent_at is None
    )
    return ", ".join(f"{reason} {number}" for reason, number in sorted(reasons.items()))


if __name__ == "__main__":
    sys.exit(main())
