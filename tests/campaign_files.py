"""One campaign file, checked as a club's are."""

from collections.abc import Iterable
from pathlib import Path

from triggers.check import CheckedFile, check_campaigns
from triggers.problems import Problem
from triggers.vocabulary import Vocabulary


def check_one(path: Path, vocabulary: Vocabulary) -> CheckedFile:
    """The file, out of its folder."""
    (found,) = check_campaigns(path.parent, vocabulary, named=path.stem)
    return found


def lines(path: Path, problems: Iterable[Problem]) -> list[str]:
    """What is told; of the file itself without its name: `4:43: ...`."""
    name = f"{path.parent.name}/{path.name}:"
    return [str(one).removeprefix(name) for one in problems]
