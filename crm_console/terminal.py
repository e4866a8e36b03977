"""What a person sees on the terminal: results on stdout, everything else on stderr."""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from crm_store.errors import SamparkError

if TYPE_CHECKING:
    from rich.progress import Progress

_WIDE = 160
"""Columns of a pipe or a file: nothing there needs to be wrapped to 80."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
"""Results: what a pipe should get."""
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDE)
"""Progress, summaries, hints and errors."""


def print_json(data: Any) -> None:
    """Plain JSON on stdout, never wrapped or coloured."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


def print_line(text: str = "", style: str = "", *, to: Console = out) -> None:
    """One line as it is: not wrapped, its brackets no markup; coloured on a terminal only."""
    to.print(Text(text, style=style), soft_wrap=True)


def say(text: str, style: str = "", *, indent: int = 0) -> None:
    """A sentence on stdout, wrapped under its indent."""
    out.print(Padding(Text(text, style=style), (0, 0, 0, indent), expand=False))


def note(text: str, style: str = "") -> None:
    """A sentence for the person at the terminal, on stderr; wrapped, its brackets no markup."""
    err.print(Text(text, style=style))


def plain_table(*headings: str, right: tuple[str, ...] = (), whole: tuple[str, ...] = ()) -> Table:
    """A table without boxes; the columns in `right` hold figures, those in `whole` never wrap."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(
            heading,
            justify="right" if heading in right else "left",
            no_wrap=heading in right + whole,
            # A name cut short could not be copied into the next command.
            overflow="fold",
        )
    return table


def counting(unit: str) -> "Progress":
    """A progress bar on stderr that counts `unit`; silent where stderr is no terminal."""
    # Here, not above: few commands count, and each would pay for it.
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )


def show_error(error: SamparkError, *, as_json: bool) -> None:
    """An error a person can mend: what is wrong, and below it what to do."""
    if as_json:
        print_json(
            {
                "error": {
                    "reason": error.reason,
                    "instruction": error.instruction,
                    "exit_code": error.exit_code,
                }
            }
        )
    print_line(error.reason, "red", to=err)
    if error.instruction:
        print_line(error.instruction[0].upper() + error.instruction[1:], to=err)


def program_name() -> str:
    """How this program is called here: `sampark` where the shell finds it, else its path."""
    called = Path(sys.argv[0])
    if shutil.which("sampark") or called.name != "sampark":
        return "sampark"
    try:
        return str(called.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(called)


def yes_no(value: bool) -> str:
    """`yes` or `no`."""
    return "yes" if value else "no"


def many(count: int, noun: str, nouns: str = "") -> str:
    """`1 message`, `1,024 messages`; `nouns` where an s is not enough."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"
