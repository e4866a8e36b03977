"""From templates to responses: what every page of the console shares."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined


class Pages:
    """The templates of one console; times are by the club's clock, as in every command."""

    def __init__(self, folder: Path, club_name: str, zone: ZoneInfo) -> None:
        self._zone = zone
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,  # everything shown was written by somebody else
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["club_name"] = club_name
        self._environment.filters |= {
            "day": self.day,
            "clock": self.clock,
            "language": language,
        }

    def show(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """One page."""
        page = self._environment.get_template(template)
        return HTMLResponse(page.render(status=status, **values), status)

    def clock(self, moment: datetime) -> str:
        """The time of day: `09:05`."""
        return moment.astimezone(self._zone).strftime("%H:%M")

    def day(self, moment: datetime) -> str:
        """`Today`, `Yesterday`, or `Friday, 20 November 2026`."""
        date, today = moment.astimezone(self._zone).date(), datetime.now(self._zone).date()
        if date == today:
            return "Today"
        if date == today - timedelta(days=1):
            return "Yesterday"
        return f"{date:%A}, {date.day} {date:%B %Y}"


def language(code: str) -> str:
    """`hi-IN` → `Hindi (India)`; what no language has, as it stands."""
    try:
        name = Locale.parse(code.replace("-", "_")).get_display_name("en")
    except (UnknownLocaleError, ValueError):
        return code[:12]
    return name or code[:12]
