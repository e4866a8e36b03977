"""What is simulated is what sweeps do: all starter campaigns, row for row, over weeks.

`make year` does it for a whole year and more people.
"""

from datetime import timedelta
from pathlib import Path

from year.club import HERE, TODAY, make_club
from year.proof import prove

DAYS = 20
"""So that terms which ended before, or end in these days, reach their last step."""


def test_weeks_of_sweeps_are_what_was_simulated(tmp_path: Path) -> None:
    project = make_club(tmp_path / "club", members=60, each=4)
    last = TODAY + timedelta(days=DAYS - 1)
    proof = prove(project, TODAY, last, HERE / "assumptions.yaml")
    different = {name: [*one.only_simulated, *one.only_swept] for name, one in proof.rows().items()}
    assert not any(different.values()), different
    simulated, swept = proof.postponed
    assert simulated == swept != {}
    assert proof.holds
    states = {one.state for one in proof.simulated.touches}
    assert states >= {"accepted", "suppressed", "expired", "done"}
    assert proof.caught.total() > 100
    assert len(+proof.caught) > 12
