"""One customer's values into a compiled template: the finished words of one message.

An e-mail is rendered in two ways. `render_email` is the plain one, for people to look at.
`render_for_wire` makes the same words as octets, and makes what many messages share only once.

Whatever goes wrong is a `RenderError` about this one message, and its text names fields, never
values: it is stored, shown and logged.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias

from jinja2.runtime import Context

from crm_messaging.blank import Blank, Day, EmptyValueError
from crm_messaging.compiled import PLAIN, Compiled, CompiledEmail, CompiledSms, FlatTemplate
from crm_messaging.message import EmailParts
from crm_messaging.template_filters import LANGUAGE, Unprintable
from crm_messaging.told import told
from crm_messaging.wire_text import WireParts, WireText
from crm_store.catalogue.field import Catalogue, FieldType
from crm_store.errors import SamparkError

MAX_OUTPUT = 512 * 1024
"""Characters of one part of a message."""
MAX_SUBJECT = 500
MAX_SMS = 1530
"""Ten segments of GSM-7."""
MAX_TAGS = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_SMS = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]")


Columns: TypeAlias = tuple[tuple[str, str, str, FieldType], ...]
"""Name, family, name within the family, and kind of each field."""


class RenderError(SamparkError):
    """This message cannot be made. The text holds no value of the customer's."""


def values_for(row: Mapping[str, Any], language: str, catalogue: Catalogue) -> dict[str, Any]:
    """A template's values from a row of field names and values, as `{"customer": {...}}`.

    `language` is the one the message is to be written in, for dates and amounts. An empty field
    becomes a `Blank`, a date a `Day`, tags (one text, joined by line feeds) a list. Lines in a
    text end in LF.
    """
    return values_of(columns_of(tuple(row), catalogue), row, language)


def values_of(columns: Columns, row: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The same, of these columns."""
    values: dict[str, Any] = {LANGUAGE: language}
    for name, family, field, kind in columns:
        value = row[name]
        if type(value) is str and "\r" in value:
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        plain = value if kind is FieldType.TEXT and value is not None else _plain(name, value, kind)
        values.setdefault(family, {})[field] = plain
    return values


@lru_cache(maxsize=1024)
def columns_of(names: tuple[str, ...], catalogue: Catalogue) -> Columns:
    """What `values_of` needs to know of these fields: rows of a batch are alike."""
    parts = ((name, *name.partition(".")) for name in names)
    return tuple((name, family, field, catalogue[name].type) for name, family, _, field in parts)


def _plain(name: str, value: Any, kind: FieldType) -> Any:
    if kind is FieldType.TAGS:
        tags = value.split("\n") if value else []
        if len(tags) > MAX_TAGS:
            raise RenderError(f"{name} holds more than {MAX_TAGS} words.")
        return tags
    if value is None:
        return Blank(name)
    if kind is FieldType.DATE:
        return _day(name, value)
    if kind is FieldType.BOOLEAN:
        return bool(value)
    if kind is FieldType.ANY:
        return told(name, value)
    return float(value) if isinstance(value, Decimal) else value


def _day(name: str, value: Any) -> Day:
    if isinstance(value, str):
        try:
            return _day_of(value)
        except ValueError:
            raise RenderError(f"{name} is not a date.") from None
    return Day.of(value.date() if isinstance(value, datetime) else value)


_day_of = lru_cache(maxsize=4096)(Day.fromisoformat)


def render_email(compiled: CompiledEmail, values: Mapping[str, Any]) -> EmailParts:
    """The finished e-mail. Raises `RenderError`."""
    try:
        context = _context(compiled, values)
        subject = _subject(compiled, context)
        html, text = _words(compiled.html, context), _words(compiled.text, context)
    except Exception as error:
        raise _explained(error) from None
    return EmailParts(subject, html, text)


def render_for_wire(
    compiled: CompiledEmail, values: Mapping[str, Any], links: Mapping[str, bytes]
) -> WireParts:
    """The finished e-mail, as `WireParts.of` makes it from `render_email`. Raises `RenderError`.

    `compiled` is best the `club_copy` of these values' club; `links` are `links_in` them.
    """
    try:
        context = _context(compiled, values)
        subject = _subject(compiled, context)
        filled = compiled.form.filled(context, links)
        html, text = filled or [
            WireText.of(_words(one, context)) for one in (compiled.html, compiled.text)
        ]
    except Exception:
        # Said as the plain way says it: this one does not come upon everything in its order.
        return WireParts.of(render_email(compiled, values))
    return WireParts(subject, html, text)


def render_sms(compiled: CompiledSms, values: Mapping[str, Any]) -> str:
    """The finished text. Raises `RenderError`."""
    try:
        context = _context(compiled, values)
        text = "".join(_pieces(compiled.text.root_render_func(context))).strip()
    except Exception as error:
        raise _explained(error) from None
    if not text:
        raise RenderError("The text message is empty.")
    if len(text) > MAX_SMS:
        raise RenderError(f"The text message is longer than {MAX_SMS} characters.")
    if _CONTROL_IN_SMS.search(text):
        raise RenderError("The text message holds a control character.")
    return text


def _context(compiled: Compiled, values: Mapping[str, Any]) -> Context:
    """What the texts of a message see: the values, and the message's language.

    The customer's region counts for dates only if her language is the template's. One context
    serves all texts of a message: whether one escapes what it prints is in its code.
    """
    language = _spoken(values.get(LANGUAGE, compiled.language), compiled.language)
    # As a template's own `new_context`, for a sandbox that has no globals to add.
    return Context(PLAIN, {**values, LANGUAGE: language}, None, {})


@lru_cache(maxsize=256)
def _spoken(hers: str, templates: str) -> str:
    return hers if _primary(hers) == _primary(templates) else templates


def _primary(language: str) -> str:
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def _subject(compiled: CompiledEmail, context: Context) -> str:
    constant = compiled.subject.constant
    return _checked_subject(_words(compiled.subject, context) if constant is None else constant)


@lru_cache(maxsize=1024)
def _checked_subject(subject: str) -> str:
    if not subject:
        raise RenderError("The subject is empty.")
    if len(subject) > MAX_SUBJECT:
        raise RenderError(f"The subject is longer than {MAX_SUBJECT} characters.")
    if _CONTROL.search(subject):
        raise RenderError("The subject holds a line end or another control character.")
    return subject


def _words(flat: FlatTemplate, context: Context) -> str:
    return flat.tidy("".join(_pieces(flat.template.root_render_func(context))))


def _pieces(made: Iterator[str]) -> list[str]:
    """A template's output in pieces, stopped when it grows too large."""
    pieces: list[str] = []
    size = 0
    while True:
        some = list(islice(made, 100))
        pieces += some
        size += sum(map(len, some))
        if size > MAX_OUTPUT:
            raise RenderError(f"The message is longer than {MAX_OUTPUT // 1024} KB.")
        if len(some) < 100:
            return pieces


def _explained(error: Exception) -> RenderError:
    """Any error as a `RenderError`. Nothing is chained to it: causes may quote values."""
    if isinstance(error, RenderError):
        return error
    if isinstance(error, EmptyValueError):
        fix = f'Write {{{{ {error.name} or "..." }}}}, or {{% if {error.name} %}} around it.'
        return RenderError(f"{error}.", fix)
    if isinstance(error, Unprintable):
        return RenderError(f"The template failed: {error}.")
    kind = type(error).__name__
    return RenderError(f"The template failed on this customer's values ({kind}).")
