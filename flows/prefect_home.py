"""Prefect's own place and habits, as environment variables: set before `prefect` is imported.

Each club has a Prefect home in its folder, so that a user's own Prefect stays untouched. What a
person has set in the environment wins. Nothing here imports Prefect.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from flows.settings import PrefectSettings

RUNS_KEPT = "30d"

_ALWAYS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # A terminal shows our own words; a run's log in the UI keeps Prefect's.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    # Without a vacuum old runs stay for ever.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    # One batch of messages is one task run: record them as fast as they come.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    # Nothing a run returns is kept: the ledger is the record.
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    # A run never waits for a dead server longer than a few seconds.
    "PREFECT_CLIENT_MAX_RETRIES": "2",
    "PREFECT_RUNNER_POLL_FREQUENCY": "2",
}


def environment(state_folder: Path) -> dict[str, str]:
    """The variables that a Prefect of this club runs with."""
    return _ALWAYS | {"PREFECT_HOME": str(state_folder.resolve() / "prefect")}


def enter(state_folder: Path) -> None:
    """Give this process the club's Prefect; call it before anything imports `prefect`."""
    for name, value in environment(state_folder).items():
        os.environ.setdefault(name, value)


def child_environment(state_folder: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process that runs a part of the club's Prefect."""
    return environment(state_folder) | dict(os.environ) | dict(extra)


def named_api(settings: PrefectSettings) -> str | None:
    """The URL of the API that club.yaml names, or the environment in Prefect's own variable."""
    return settings.api_url or os.environ.get("PREFECT_API_URL")
