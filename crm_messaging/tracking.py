"""Links that are counted: an e-mail whose links lead through our own page to where they led.

Only a link that is alike for everybody is counted: it is stored once, and the page leads to stored
addresses alone. One that holds a value of the customer's stays as it is, and so do links to our
own pages. The text part keeps the real addresses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from jinja2 import TemplateSyntaxError, meta

from crm_messaging.blank import EmptyValueError
from crm_messaging.club_copy import CLUB
from crm_messaging.compiled import CompiledEmail
from crm_messaging.message_links import click_field
from crm_messaging.template_filters import Unprintable

_LINK = re.compile(r'(<a\b[^>]*?\bhref=")([^"]*)(")', re.DOTALL)
_WEB = re.compile(r"https?://[^\s/]")


@dataclass(frozen=True)
class TrackedEmail:
    """An e-mail with counted links: `urls[n]` is where the value `message.click_<n>` leads."""

    compiled: CompiledEmail
    urls: tuple[str, ...]


def tracked(
    compiled: CompiledEmail, club: Mapping[str, Any], utm: Mapping[str, str], own: str
) -> TrackedEmail:
    """The same e-mail with its links counted.

    `club` are the values of `club.*`, `utm` what is added to each address (`utm_source`, ...),
    and `own` how addresses of our own pages begin.
    """
    environment = compiled.html.environment
    urls: list[str] = []

    def counted(found: re.Match[str]) -> str:
        before, address, after = found.groups()
        try:
            names = meta.find_undeclared_variables(environment.parse(address))
        except TemplateSyntaxError:
            return found[0]
        if not names <= {CLUB}:
            return found[0]
        try:
            url = unescape(environment.from_string(address).render({CLUB: club}))
        except (EmptyValueError, Unprintable):
            return found[0]  # the message itself says what is wrong
        if not _WEB.match(url) or url.startswith(own):
            return found[0]
        url = with_query(url, utm)
        if url not in urls:
            urls.append(url)
        return f"{before}{{{{ message.{click_field(urls.index(url))} }}}}{after}"

    source = _LINK.sub(counted, compiled.html.source)
    if not urls:
        return TrackedEmail(compiled, ())
    html = compiled.html.changed(source=source)
    return TrackedEmail(replace(compiled, html=html, club_copies={}), tuple(urls))


def with_query(url: str, more: Mapping[str, str]) -> str:
    """An address with parameters added to those it has; none is said twice."""
    parts = urlsplit(url)
    said = parse_qsl(parts.query, keep_blank_values=True)
    new = [(name, value) for name, value in more.items() if name not in dict(said)]
    return urlunsplit(parts._replace(query=urlencode(said + new))) if new else url
