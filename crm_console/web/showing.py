"""From templates to responses: what every page of the console shares."""

from datetime import datetime, timedelta
from pathlib import Path

from babel import Locale, UnknownLocaleError
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined


class Pages:
    """The templates of one console."""

    def __init__(self, folder: Path, club_name: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,  # everything shown was written by somebody else
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["club_name"] = club_name
        self._environment.filters |= {"day": day, "clock": clock, "language": language}

    def show(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """One page."""
        page = self._environment.get_template(template)
        return HTMLResponse(page.render(status=status, **values), status)


def clock(moment: datetime) -> str:
    """The time of day where this machine stands: `09:05`."""
    return moment.astimezone().strftime("%H:%M")


def day(moment: datetime) -> str:
    """`Today`, `Yesterday`, or `Friday, 20 November 2026`, where this machine stands."""
    date, today = moment.astimezone().date(), datetime.now().astimezone().date()
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
