"""`docs/consent.md`: what it shows can be used as it stands, and what it says is so."""

import re
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from crm_messaging.layout import LABELS
from crm_messaging.links import LASTS, Purpose
from crm_messaging.message_fields import LINK_FIELDS
from crm_messaging.message_links import PATHS
from crm_store.keys import EARLIER_VARIABLE, VARIABLE

PAGE = (Path(__file__).parents[2] / "docs" / "consent.md").read_text(encoding="utf-8")
SETTINGS, CAMPAIGN, TRACKING = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ANSWER = "[Yes, write to me]({{ message.confirm_url }})"


def test_what_is_shown_has_nothing_to_mend(sampark: Callable[..., Result], club: Path) -> None:
    for path in (club / "campaigns").glob("*.yaml"):
        path.unlink()
    text = (club / "club.yaml").read_text(encoding="utf-8")
    before, _, after = text.partition("topics:\n")
    rest = after[re.search(r"^\S", after, re.MULTILINE).start() :]  # type: ignore[union-attr]
    (club / "club.yaml").write_text(f"{before}{SETTINGS}{TRACKING}{rest}", encoding="utf-8")
    (club / "campaigns/confirm-consent.yaml").write_text(CAMPAIGN, encoding="utf-8")
    assert ANSWER in PAGE
    for language in ("en", "hi"):
        template = club / f"templates/{language}/email/consent/confirm.md"
        template.parent.mkdir()
        template.write_text(f"---\nsubject: One click\n---\n{ANSWER}\n", encoding="utf-8")
    sampark("check", "--strict")


def test_the_page_names_what_there_is() -> None:
    for name in (*LINK_FIELDS, *LABELS, VARIABLE, EARLIER_VARIABLE):
        assert name in PAGE, name
    for purpose, path in PATHS.items():
        [row] = [line for line in PAGE.splitlines() if f"`{path}/…`" in line]
        lasts = LASTS[purpose]
        assert ("for ever" if lasts is None else f"{lasts.days} days") in row
    assert LASTS[Purpose.CONFIRM] is not None
