"""Pages for customers: plain HTML in the club's colour and her language, without a script."""

from hashlib import sha256
from pathlib import Path
from string import Template

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crm_console.web.public.door import Allowance, Door
from crm_console.web.public.premises import Premises
from crm_console.web.public.words import Words
from flows.settings import ClubFacts

_FOLDER = Path(__file__).parent / "pages"
_STYLE = "/look/club.css"
_A_DAY = "public, max-age=86400"


class ClubPages:
    """The templates in `pages`, filled for one club."""

    def __init__(self, club: ClubFacts) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # With the look's digest behind it, browsers fetch a changed one at once.
        digest = sha256(look_of(club).encode()).hexdigest()[:8]
        self._environment.globals |= {"club": club, "style": f"{_STYLE}?{digest}"}

    def show(self, page: str, words: Words, *, status: int = 200, **values: object) -> HTMLResponse:
        """One page."""
        made = self._environment.get_template(page).render(words=words, **values)
        return HTMLResponse(made, status)


def look_of(club: ClubFacts) -> str:
    """The style sheet, in the club's colour."""
    accent = club.colour
    on_accent = "#ffffff" if _luminance(accent) < 0.36 else "#101614"
    text = (_FOLDER / "club.css").read_text(encoding="utf-8")
    return Template(text).substitute(accent=accent, on_accent=on_accent)


def _luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _routes(premises: Premises) -> APIRouter:
    routes = APIRouter()
    style = look_of(premises.project.settings.club)

    @routes.api_route(_STYLE, methods=["GET", "HEAD"])
    def look() -> Response:
        return Response(style, media_type="text/css", headers={"Cache-Control": _A_DAY})

    return routes


LOOK = Door("/look", _routes, allowance=Allowance(burst=300, per_minute=300))
