"""docs/webhooks.md says what is so: its settings can be used, its tables are the program's own."""

import re
from pathlib import Path

from public_site import public_project

from crm_messaging.feedback import Verdict
from crm_messaging.webhooks.providers import PROVIDERS
from crm_store.feedback import RANKS
from crm_store.models.consent import Cause
from flows.feedback import MEANINGS

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def rows_under(heading: str) -> list[list[str]]:
    """The cells of the table that begins with this column."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_what_a_report_does_is_the_programs_table() -> None:
    expected = []
    for verdict, meaning in MEANINGS.items():
        if verdict is Verdict.FAILED:
            continue  # of text messages
        state, reason = meaning.moves_to or ("", None)
        address = f"suppressed: `{meaning.cause}`" if meaning.cause else ""
        if meaning.cause is Cause.OPT_OUT:
            address = "opted out of e-mail"
        cells = [
            f"`{meaning.email}`",
            f"`{state}`" if state else "",
            f"`{reason}`" if reason else "",
        ]
        expected.append([verdict.sentence, *cells, address])
    assert sorted(rows_under("the report")) == sorted(expected)


def test_the_order_of_outcomes_is_that_of_the_ranks() -> None:
    written = re.search(r"never back: ([^.]*), in this order", PAGE)
    assert written is not None
    words = {"soft_bounce": "soft bounce", "mailbox_full": "full mailbox", "blocked": "blocked"}
    words |= {"delivered": "delivered", "hard_bounce": "hard bounce", "complained": "complaint"}
    ranked = [str(reason or state) for state, reason in sorted(RANKS, key=lambda one: RANKS[one])]
    assert written[1].split(", ") == [words[one] for one in ranked if one != "undelivered"]


def test_each_provider_is_in_the_table_with_its_address_and_secret() -> None:
    rows = {row[0]: row for row in rows_under("provider")}
    assert list(rows) == [provider.title for provider in PROVIDERS.values()]
    for provider in PROVIDERS.values():
        _, address, _, to_set = rows[provider.title]
        assert address == f"`/hooks/{provider.name}`"
        if provider.setting:
            assert to_set == f"`SAMPARK_WEBHOOKS__{provider.name}__{provider.setting}`".upper()


def test_the_settings_can_be_used(tmp_path: Path) -> None:
    block = PAGE.split("```yaml\n")[1].split("```")[0]
    settings = public_project(tmp_path, block).settings
    assert settings.public.url == "https://crm.lotus.example"
    assert all(getattr(settings.webhooks, name) is not None for name in PROVIDERS)
