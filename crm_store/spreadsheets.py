"""Cells of CSV files that people open in a spreadsheet: text stays text there.

A cell that begins like a formula is one to a spreadsheet, and can run programs or send the other
cells away. An apostrophe before it makes it text; reading takes it off again.
"""

import re

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The wide ones are the same to a spreadsheet of East Asia."""
_NUMBER = re.compile(r"[+-]?[0-9][0-9 .,()-]*")
"""A number, or a phone number: there is nothing in it to run."""


def safe_cell(text: str) -> str:
    """The text as it may stand in a CSV file."""
    if not text.lstrip(" ").startswith(_FORMULA) or _NUMBER.fullmatch(text):
        # One apostrophe that was there before must come back as it was.
        return f"'{text}" if text.startswith("'") and plain_cell(text) != text else text
    return f"'{text}"


def plain_cell(cell: str) -> str:
    """What `safe_cell` was given."""
    rest = cell[1:]
    is_quoted = cell.startswith("'") and rest.lstrip(" '").startswith(_FORMULA)
    return rest if is_quoted else cell
