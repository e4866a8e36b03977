"""Phrases as a pattern: small letters, "…" for up to sixty characters."""

import re
from collections.abc import Iterable


def pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of the phrases in text that was made small."""
    return re.compile("|".join(rf"(?<!\w){_spelt(one)}" for one in phrases))


def _spelt(phrase: str) -> str:
    return ".{0,60}?".join(re.escape(part.strip()) for part in phrase.split("…"))
