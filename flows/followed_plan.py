"""The campaigns of a folder for a process that stays: read again when a file has changed."""

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import TypeAlias

from flows.engine import Engine
from flows.project import Project
from flows.sweep import SweepPlan, plan_sweep
from triggers import scores, segments
from triggers.check import CheckedFile

MakePlan: TypeAlias = Callable[[Engine, list[CheckedFile]], SweepPlan]
Say: TypeAlias = Callable[[str, str], None]
"""Called with what is ready (or `warning`) and where it is (or what is wrong)."""
_Stamp = tuple[str, int, int]


class FollowedPlan:
    """An engine and a plan that follow the files. What club.yaml says stays as it was.

    It says when a campaign is disabled, and when it runs again: each once.
    """

    def __init__(
        self, project: Project, engine: Engine, say: Say, plan: MakePlan = plan_sweep
    ) -> None:
        self._project = project
        self._say = say
        self._make_plan = plan
        self._following = Lock()
        self._stamps: list[_Stamp] | None = None
        self.engine = engine
        self.plan = SweepPlan([], [])

    def follow(self) -> None:
        """Read the files again if any has changed. Blocks while it reads: call it in a thread."""
        with self._following:
            stamps = self._look()
            if stamps != self._stamps:
                self._read_again()
                self._stamps = stamps

    def _read_again(self) -> None:
        project = self._project.read_again()
        self.engine = replace(
            self.engine,
            catalogue=project.catalogue,
            library=project.library,
            segments=project.rules.segments,
        )
        before, self.plan = self.plan, self._make_plan(self.engine, project.check())
        self._tell_changes(before)

    def _tell_changes(self, before: SweepPlan) -> None:
        told = {one.slug: one.problem for one in before.disabled}
        for one in self.plan.disabled:
            if told.get(one.slug) != one.problem:
                self._say("warning", f"the campaign {one.slug} is disabled: {one.problem}")
        for campaign in self.plan.running:
            if campaign.slug in told:
                self._say("ready", f"the campaign {campaign.slug} runs again")

    def _look(self) -> list[_Stamp]:
        folders = (self._project.campaigns_folder, self._project.library.root)
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        rules = (self._project.folder / name for name in (segments.FILE, scores.FILE))
        files += (path for path in rules if path.is_file())
        found = [(str(path), path.stat()) for path in files]
        return sorted((path, stat.st_mtime_ns, stat.st_size) for path, stat in found)
