"""The driver: lets workers live and die by a seed, and drains what they have left behind."""

import math
import multiprocessing
import os
import random
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import count
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from faults.audit import Audit, audit
from faults.boundaries import Boundary
from faults.club import STEPS, Site, add_leads
from faults.smtp_recorder import OnDot, Recorder
from faults.worker import PATIENCE_S, Life, Role, live

PAST_THE_LEASE = timedelta(minutes=21)
PAST_THE_LAST_STEP = timedelta(minutes=61)
DRAINS = 3
STEP_MINUTES = 5
STEP_S = 0.3
"""A crowd's time is moved on by so many minutes at most this often."""

PASSINGS = {
    Boundary.BEFORE_SENDING: 6,
    Boundary.AFTER_SENDING: 6,
    Boundary.BEFORE_BODY: 30,
    Boundary.AFTER_DOT: 30,
    Boundary.AFTER_REPLY: 30,
    Boundary.BEFORE_RECEIPTS: 6,
    Boundary.AFTER_RECEIPTS: 6,
}
"""How often, at most, a boundary is passed before the kill, where that is more than once."""

LONGEST_LIFE_S = 0.8
"""A kill at any moment comes within this time."""


@dataclass
class Figures:
    """What a run came to."""

    kills: Counter[Boundary] = field(default_factory=Counter)
    failures: int = 0
    """Workers that ended with an error of their own."""

    @property
    def killed(self) -> int:
        return self.kills.total()


@dataclass(frozen=True)
class Worker:
    """A worker process and the port that its mail comes in by."""

    process: ForkServerProcess
    door: int

    @property
    def sleeps(self) -> bool:
        """It has been stopped (state T of proc_pid_stat(5))."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def wake(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGCONT)


class Driver:
    """Starts the workers of one site, and knows how each of them ended.

    Use as a context manager: nobody outlives it.
    """

    def __init__(self, site: Site, recorder: Recorder, seed: int) -> None:
        self.site = site
        self.recorder = recorder
        self.figures = Figures()
        self._chance = random.Random(seed)  # noqa: S311 - it is to be repeatable
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()

    def kill_many(
        self,
        *,
        kills: int,
        sends: int,
        at: Sequence[Boundary] = tuple(Boundary),
        workers: int = 2,
        mutant: str | None = None,
    ) -> None:
        """Round by round: new leads come, `workers` set to work, and each is killed.

        One whose boundary did not come up ends in peace, and another is sent there later.
        """
        rounds = math.ceil(kills / workers)
        leads = math.ceil(sends / STEPS / rounds)
        places: deque[Boundary] = deque()
        for number in count(1):
            if self.figures.killed >= kills:
                return
            assert number <= 3 * rounds, f"hardly anybody dies: {self.figures}"
            add_leads(self.site, leads)
            while len(places) < workers:
                places.extend(self._chance.sample(at, len(at)))
            sent = [places.popleft() for _ in range(workers)]
            doomed = [self._doom(boundary, mutant) for boundary in sent]
            for boundary, worker in zip(sent, doomed, strict=True):
                if self.ended(worker) == -signal.SIGKILL:
                    self.figures.kills[boundary] += 1
                else:
                    places.append(boundary)
            self.site.clock.turn(PAST_THE_LEASE)

    def crowd(self, *, schedulers: int, workers: int, leads: int, minutes: int) -> None:
        """Many at once on the same rules, while the time is moved on in steps."""
        roles = [Role.SWEEPS] * schedulers + [Role.EVENTS] * workers
        together = [self.start(role=role) for role in roles]
        for _ in range(minutes // STEP_MINUTES):
            add_leads(self.site, leads * STEP_MINUTES // minutes)
            time.sleep(STEP_S)
            until(lambda: self.audit().left_open == 0, "the crowd does not keep up")
            self.site.clock.turn(timedelta(minutes=STEP_MINUTES))
        (self.site.folder / "closed").touch()
        for worker in together:
            self.ended(worker)

    def put_to_sleep(self, boundary: Boundary, **life: Any) -> Worker:
        """A worker that has been stopped, not killed, at `boundary`."""
        worker = self.start(boundary=boundary, signal=signal.SIGSTOP, **life)
        until(lambda: worker.sleeps, f"nobody passes {boundary}")
        return worker

    def taken_from(self, worker: Worker) -> list[str]:
        """The Message-IDs that came in by its door."""
        return [one.message_id for one in self.recorder.taken if one.door == worker.door]

    def drain(self, mutant: str | None = None) -> Audit:
        """Let clean workers finish what is left, and hold the ledger against the server."""
        for _ in range(DRAINS):
            self.site.clock.turn(PAST_THE_LAST_STEP)
            self.ended(self.start(mutant=mutant))
        return self.audit()

    def audit(self) -> Audit:
        return audit(self.site, [one.message_id for one in self.recorder.taken])

    def start(self, *, on_dot: OnDot = lambda _: None, **life: Any) -> Worker:
        """A worker at work, by a door of its own."""
        door = self.recorder.open_door(on_dot)
        process = _processes().Process(target=live, args=(Life(self.site, door, **life),))
        process.start()
        self._workers.append(Worker(process, door))
        return self._workers[-1]

    def ended(self, worker: Worker) -> int:
        """Wait until the worker is gone; its exit code, or minus the signal that ended it."""
        worker.process.join(PATIENCE_S + 10)
        code = worker.process.exitcode
        assert code is not None, f"a worker hangs; see {self.site.folder / 'workers.log'}"
        if code not in (0, -signal.SIGKILL):
            self.figures.failures += 1
        return code

    def _doom(self, boundary: Boundary, mutant: str | None) -> Worker:
        passing = self._chance.randint(1, PASSINGS.get(boundary, 1))

        def on_dot(number: int) -> None:
            if boundary is Boundary.AFTER_DOT and number == passing:
                worker.process.kill()

        worker = self.start(on_dot=on_dot, boundary=boundary, passing=passing, mutant=mutant)
        if boundary is Boundary.ANY_MOMENT:
            moment = self._chance.uniform(0, LONGEST_LIFE_S)
            threading.Timer(moment, worker.process.kill).start()
        return worker


def until(true: Callable[[], bool], failing: str, seconds: float = PATIENCE_S) -> None:
    """Wait until `true()` holds; fails after `seconds`."""
    given_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < given_up, failing
        time.sleep(0.02)


@cache
def _processes() -> ForkServerContext:
    """Workers are forked off a process that has imported all: they start in no time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["faults.worker"])
    # The fork server looks for it where PYTHONPATH says, whatever our own sys.path is.
    tests = Path(__file__).parents[1]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(tests.parent), str(tests)])
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context
