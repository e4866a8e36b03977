"""A message on the terminal: its subject, its text, and what it is."""

from rich import box
from rich.markup import escape
from rich.panel import Panel

from crm_console.terminal import out

_WIDTH = 80


def show_message(title: str, text: str, what: str) -> None:
    """Print a message. No lines at the sides: terminals disagree on how wide Devanagari is."""
    out.print(
        Panel(
            escape(text.strip()),
            box=box.HORIZONTALS,
            title=f"[bold]{escape(title)}[/]",
            title_align="left",
            subtitle=f"[dim]{escape(what)}[/]",
            subtitle_align="left",
            width=min(out.width, _WIDTH),
            padding=(1, 2),
        )
    )
