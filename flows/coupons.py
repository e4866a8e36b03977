"""A customer's own coupon code."""

import secrets

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""None that is taken for another when it is read out: no 0 or O, 1, I or L, no U or V's twin."""
LENGTH = 8


def new_code(prefix: str) -> str:
    """`RENEW10-7F3K9QXB`: nobody guesses it, and of 656 billion no two are alike for long."""
    return f"{prefix}-{''.join(secrets.choice(_LETTERS) for _ in range(LENGTH))}"
