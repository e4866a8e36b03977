"""A process that does a part of a simulation: `python -m flows.foresight.part_process FILE`."""

import sys
from pathlib import Path

from flows.foresight.in_parts import work_off

if __name__ == "__main__":
    work_off(Path(sys.argv[1]))
