"""`sampark doctor`: it finds what is broken, says how to mend it, and changes nothing."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIVE = """
mode: live
channels:
  email:
    from: Lotus <hello@lotus.example>
    smtp: {host: 127.0.0.1, port: PORT, tls: none}
"""


def by_name(told: Any) -> dict[str, Any]:
    return {one["what"]: one for one in told["findings"]}


def test_a_new_club_is_well_and_stays_untouched(club: Path, answer: Callable[..., Any]) -> None:
    told = answer("doctor")
    assert told["healthy"]
    assert not [one for one in told["findings"] if one["health"] == "broken"]
    assert not (club / "sampark.db").exists()


def test_live_it_wants_servers_that_answer_and_campaigns_that_run(
    club: Path, answer: Callable[..., Any]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        live = LIVE.replace("PORT", str(nobody.getsockname()[1]))
        settings = club / "club.yaml"
        text = settings.read_text(encoding="utf-8").replace("mode: rehearsal\n", live)
        settings.write_text(text, encoding="utf-8")
        (club / "campaigns/trial.yaml").write_text("campaign: [")
        found = by_name(answer("doctor", exit_code=3))
    assert found["mail server"]["health"] == "broken"
    assert "does not answer" in found["mail server"]["text"]
    assert found["SMS"]["health"] == "broken"
    assert found["campaigns"]["mend"] == "Run: sampark check"
    assert "https://club.example is the starter's" in found["club"]["text"]
    assert found["obligations"]["mend"].startswith("Set `public: {base_url: https://…}`")


def test_settings_that_cannot_be_used_are_found(club: Path, answer: Callable[..., Any]) -> None:
    (club / "club.yaml").write_text("club: {}")
    assert "name" in by_name(answer("doctor", exit_code=3))["settings"]["text"]
