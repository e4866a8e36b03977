"""Shares of people, with how far chance alone may have moved them."""

from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass(frozen=True)
class Share:
    """`met` of `of`, and the interval in which the true share lies with 95 % confidence."""

    met: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.met / self.of

    def __str__(self) -> str:
        """`23.5% (19.1 to 28.6)`."""
        return f"{self.value:.1%} ({self.low * 100:.1f} to {self.high * 100:.1f})"


def share(met: int, of: int) -> Share | None:
    """The share with Wilson's score interval (E. B. Wilson, 1927); none of nobody.

    It stays within 0 and 1 and holds for few people and for shares near the ends.
    """
    if of == 0:
        return None
    part, square = met / of, Z * Z
    middle = (part + square / (2 * of)) / (1 + square / of)
    half = Z * sqrt(part * (1 - part) / of + square / (4 * of * of)) / (1 + square / of)
    return Share(met, of, max(0.0, middle - half), min(1.0, middle + half))


def difference(one: Share, other: Share) -> tuple[float, float, float]:
    """How much more `one` is than `other`, and the interval of that, as fractions.

    Newcombe's hybrid score interval (R. G. Newcombe, 1998, method 10), from the two intervals of
    Wilson's. When it does not hold 0, chance alone explains the difference badly.
    """
    between = one.value - other.value
    low = between - sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    high = between + sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return between, low, high
