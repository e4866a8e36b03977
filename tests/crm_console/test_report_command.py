"""`sampark report campaigns`: what was there before the goals, in figures that add up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

PURCHASES = (
    "customer ref,ref,item,amount,date\n"
    "M-1,P-1,Protein shake,250,2026-11-20\nM-1,P-2,Annual plan,14999.50,2026-11-21\n"
)


def test_purchases_before_which_nobody_wrote(
    sampark: Callable[..., Result], answer: Callable[..., Any], club: Path, tmp_path: Path
) -> None:
    (tmp_path / "members.csv").write_text("ref,first name,email\nM-1,Asha,a@example.org\n")
    (tmp_path / "purchases.csv").write_text(PURCHASES)
    sampark("import", "customers", str(tmp_path / "members.csv"))
    sampark("import", "purchases", str(tmp_path / "purchases.csv"))
    asked = ("report", "campaigns", "--from", "2026-11-01", "--to", "2026-11-21")
    assert answer(*asked)["campaigns"] == [
        {
            "campaign": None,
            "messages": 0,
            "first_touch": 2,
            "last_touch": 2,
            "first_touch_amount": 15249.5,
            "last_touch_amount": 15249.5,
        }
    ]
    shown = sampark(*asked).stdout
    assert "(no message before)" in shown
    assert "15,249.50" in shown
    assert answer(*asked[:-1], "2026-11-20")["campaigns"][0]["last_touch"] == 1
    assert (
        "Did you mean `membership_renewed`?"
        in sampark(*asked, "--goal", "membership_renewd", exit_code=1).stderr
    )
    told = sampark(*asked, "--goal", "locker_rented", exit_code=1).stderr
    assert "No event locker_rented was ever recorded." in told
    renewal = club / "campaigns" / "membership-renewal.yaml"
    said = renewal.read_text(encoding="utf-8")
    renewal.write_text(said.replace("goal: {event: membership_renewed", "goal: {event: sauna_used"))
    sampark(*asked, "--goal", "sauna_used")
    sampark("event", "locker_rented", "--customer", "M-1", "--at", "2026-11-20 10:00")
    assert answer(*asked, "--goal", "locker_rented")["campaigns"][0]["last_touch"] == 3
    assert "is no moment" in sampark("report", "campaigns", "--from", "x", exit_code=2).stderr
