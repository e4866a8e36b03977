"""The load of each day as a picture: stacked bars by campaign, as SVG."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.foresight.overload import Overload
    from flows.foresight.simulation import Simulated

_WIDTH, _HEIGHT = 1120, 360
_LEFT, _TOP = 64, 72
_LINE = 20
# Told apart by eyes that do not see red or green as well (Okabe and Ito).
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
_REST = "#cccccc"


def draw(result: "Simulated", too_much: Sequence["Overload"]) -> str:
    """An SVG document. The campaigns with the most messages have colours of their own."""
    campaigns = [one for one in result.campaigns() if result.sent(one)]
    shown = campaigns[: len(_COLOURS)] if len(campaigns) > len(_COLOURS) else campaigns
    colours = dict(zip(shown, _COLOURS, strict=False))
    rows = len(shown) + (len(campaigns) > len(shown))
    bottom = _TOP + _HEIGHT
    height = bottom + 56 + _LINE * ((rows + 2) // 3 + 1)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 24} {height}" '
            'font-family="system-ui, sans-serif" font-size="13">',
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *_title(result),
            *_axis(result),
            *_bars(result, colours),
            *_marks(result, too_much),
            *_legend(result, colours, campaigns, bottom + 56),
            "</svg>",
            "",
        )
    )


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def _title(result: "Simulated") -> Iterator[str]:
    yield _text(
        _LEFT,
        28,
        f"{result.messages:,} messages, {result.first} to {result.last}",
        'font-size="18" font-weight="600"',
    )
    of_all, of_week = result.per_member, result.per_member_week
    yield _text(
        _LEFT,
        50,
        f"A member gets {of_all.median} (median), {of_all.p99} (99th percentile), "
        f"{of_all.worst} (most); in a week with any {of_week.median}, {of_week.p99}, "
        f"{of_week.worst}.",
        'fill="#555555"',
    )


def _highest(result: "Simulated") -> int:
    return max((counts.total() for counts in result.load.values()), default=0) or 1


def _axis(result: "Simulated") -> Iterator[str]:
    top = _highest(result)
    for part in range(5):
        y = _TOP + _HEIGHT * (1 - part / 4)
        yield f'<path d="M{_LEFT} {y:.1f}h{_WIDTH}" stroke="#dddddd"/>'
        yield _text(_LEFT - 8, y + 4, f"{top * part / 4:,.0f}", 'text-anchor="end" fill="#555555"')
    for day, x in _days(result):
        first_of_month = day.day == 1 and _number_of_days(result) > 45
        weekly = day.weekday() == 0 and _number_of_days(result) <= 45
        if first_of_month or weekly or day == result.first:
            words = f"{day:%b}" if first_of_month else f"{day.day} {day:%b}"
            yield _text(x, _TOP + _HEIGHT + 20, words, 'fill="#555555"')


def _number_of_days(result: "Simulated") -> int:
    return (result.last - result.first).days + 1


def _days(result: "Simulated") -> Iterator[tuple[date, float]]:
    """Each day and where its bar begins."""
    number = _number_of_days(result)
    for index in range(number):
        yield result.first + timedelta(days=index), _LEFT + _WIDTH * index / number


def _bars(result: "Simulated", colours: dict[str, str]) -> Iterator[str]:
    scale = _HEIGHT / _highest(result)
    width = max(_WIDTH / _number_of_days(result) * 0.86, 0.8)
    for day, x in _days(result):
        counts = result.load.get(day, Counter())
        y = float(_TOP + _HEIGHT)
        named = [(one, counts.get(one, 0)) for one in colours]
        rest = sum(counts.values()) - sum(number for _, number in named)
        for campaign, number in [*named, ("other campaigns", rest)]:
            if not number:
                continue
            y -= number * scale
            colour = colours.get(campaign, _REST)
            yield (
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{number * scale:.1f}" '
                f'fill="{colour}"><title>{day}: {number:,} {escape(campaign)}</title></rect>'
            )


def _marks(result: "Simulated", too_much: Sequence["Overload"]) -> Iterator[str]:
    days = {one.day for one in too_much}
    for day, x in _days(result):
        if day in days:
            yield _text(x, _TOP - 4, "▼", 'fill="#b00020"') + f"<!-- {day}: too many -->"


def _legend(
    result: "Simulated", colours: dict[str, str], campaigns: Sequence[str], top: int
) -> Iterator[str]:
    entries = [(f"{one} {result.sent(one):,}", colours[one]) for one in colours]
    rest = sum(result.sent(one) for one in campaigns if one not in colours)
    if rest:
        entries.append((f"other campaigns {rest:,}", _REST))
    for index, (words, colour) in enumerate(entries):
        x, y = _LEFT + (index % 3) * (_WIDTH / 3), top + (index // 3) * _LINE
        yield f'<rect x="{x:.1f}" y="{y - 10:.1f}" width="12" height="12" fill="{colour}"/>'
        yield _text(x + 18, y, words)
