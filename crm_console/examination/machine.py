"""The machine: Python, room on the disk, time zones, and Prefect."""

import platform
import shutil
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx

from crm_console.examination.finding import Finding, broken, note, ok
from flows.prefect_home import child_environment
from flows.project import Project

_ENOUGH = 500 * 1024**2
"""Bytes. A ledger that cannot be written stops everything."""
_MANY_ZONES = 400
_IMPORT_LIMIT_S = 60


def examine_program() -> Iterator[Finding]:
    """What runs here."""
    yield ok("Sampark", f"{version('sampark')} on Python {platform.python_version()}")
    zones = len(zoneinfo.available_timezones())
    if zones < _MANY_ZONES:
        yield broken("time zones", f"only {zones} are known", "Run: pip install tzdata")
    else:
        yield ok("time zones", f"{zones} known")


def examine_disk(folder: Path) -> Iterator[Finding]:
    """Room for the ledger."""
    free = shutil.disk_usage(folder).free
    shown = f"{free / 1024**3:,.1f} GiB free"
    if free < _ENOUGH:
        yield broken("disk", shown, "Make room: the ledger cannot grow.")
    else:
        yield ok("disk", shown)


def examine_prefect(project: Project) -> Iterator[Finding]:
    """Whether Prefect's server can be loaded, and whether one answers."""
    # In a child: Prefect takes seconds to import, and its server fails on some FastAPI releases.
    tried = subprocess.run(
        [sys.executable, "-c", "import prefect.server.api.server"],
        env=child_environment(project.state_folder, {}),
        capture_output=True,
        text=True,
        timeout=_IMPORT_LIMIT_S,
        check=False,
    )
    if tried.returncode:
        last = tried.stderr.strip().splitlines()[-1:] or ["it cannot be imported"]
        yield broken("Prefect", last[0], "Install Sampark anew, with its constraints.txt.")
        return
    yield ok("Prefect", version("prefect"))
    yield _server(project)


def _server(project: Project) -> Finding:
    own = project.settings.prefect.api_url
    api = own or f"http://127.0.0.1:{project.settings.prefect.port}/api"
    try:
        answer = httpx.get(f"{api.rstrip('/')}/health", timeout=3, trust_env=own is not None)
    except httpx.HTTPError as error:
        if own:
            return broken(
                "Prefect server",
                f"{api} does not answer ({type(error).__name__})",
                "Start it, or correct `prefect: {api_url: …}` in club.yaml.",
            )
        return note("Prefect server", "not running; `sampark up` runs one, a sweep its own")
    if answer.status_code != httpx.codes.OK:
        mend = "Another program has the port: set `prefect: {port: …}` in club.yaml."
        return broken("Prefect server", f"{api} answers {answer.status_code}", mend)
    return ok("Prefect server", f"answers at {api}")
