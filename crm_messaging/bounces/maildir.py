"""A maildir on this machine: one file a mail, and moving it says that it was seen."""

from collections.abc import Sequence
from pathlib import Path

from crm_messaging.bounces.letter import Letter
from crm_messaging.bounces.mail import MAX_READ
from crm_store.errors import EnvironmentUnready


class Maildir:
    """Letters lie in `new`; marked ones move to `cur`, reports with the flag S for seen."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def waiting(self, limit: int) -> list[Letter]:
        """See `Letterbox.waiting`. Names begin with the time of arrival."""
        try:
            names = sorted(
                one.name
                for one in (self._path / "new").iterdir()
                if one.is_file() and not one.name.startswith(".")
            )
            return [letter for name in names[:limit] if (letter := self._read(name))]
        except OSError as error:
            raise self._unready(error) from error

    def mark(self, reports: Sequence[str], others: Sequence[str]) -> None:
        """See `Letterbox.mark`."""
        for names, flags in ((reports, "S"), (others, "")):
            for name in names:
                try:
                    seen = self._path / "cur" / f"{name.partition(':')[0]}:2,{flags}"
                    (self._path / "new" / name).rename(seen)
                except FileNotFoundError:
                    continue  # a mail program was faster
                except OSError as error:
                    raise self._unready(error) from error

    def _read(self, name: str) -> Letter | None:
        try:
            with (self._path / "new" / name).open("rb") as file:
                return Letter(name, file.read(MAX_READ))
        except FileNotFoundError:
            return None

    def _unready(self, error: OSError) -> EnvironmentUnready:
        return EnvironmentUnready(
            f"The maildir {self._path} cannot be used: {error.strerror}.",
            "Check `bounces: maildir:` in club.yaml, and that this user may read and move mails.",
        )
