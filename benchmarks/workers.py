"""Delivery in processes of its own, as workers run it, and what each of them used."""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from club import at_work

from crm_store.models.touchpoint import State
from flows import event_loop
from flows.deliver import deliver
from flows.group_commit import Claim, GroupCommit
from flows.report import CampaignReport

LOOPS = {"asyncio": asyncio.run, "uvloop": event_loop.run}


@dataclass(frozen=True)
class Way:
    """How to deliver. `before_the_dot` False leaves out the commit before the last byte."""

    loop: str = "uvloop"
    before_the_dot: bool = True
    cores: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Work:
    """What one process did: on the machine's monotonic clock, in seconds; memory in bytes."""

    started: float
    ended: float
    cpu: float
    accepted: int
    peak: int
    resident: tuple[int, ...]
    """After each batch."""


@dataclass(frozen=True)
class Delivered:
    """What the processes did together."""

    seconds: float
    cpu: float
    accepted: int
    works: tuple[Work, ...]

    @property
    def cores(self) -> float:
        """How many cores they had on average: well under one each, where others want them too."""
        return self.cpu / self.seconds


@contextmanager
def workers(folder: Path, processes: int, way: Way) -> Iterator["Workers"]:
    """Processes that have everything open and wait for the word."""
    context = multiprocessing.get_context("spawn")
    pipes, started = [], []
    for _ in range(processes):
        ours, theirs = context.Pipe()
        one = context.Process(target=_work, args=(folder, way, theirs))
        one.start()
        theirs.close()
        pipes.append(ours)
        started.append(one)
    try:
        for pipe in pipes:
            pipe.recv()
        yield Workers(pipes)
    finally:
        for pipe in pipes:
            pipe.close()
        for one in started:
            one.join()


class Workers:
    """Waiting processes."""

    def __init__(self, pipes: "list[Connection[Any, Any]]") -> None:
        self._pipes = pipes

    def deliver(self) -> Delivered:
        """Let all of them deliver what is queued, from one queue, and wait."""
        for pipe in self._pipes:
            pipe.send("go")
        works = tuple(pipe.recv() for pipe in self._pipes)
        return Delivered(
            max(one.ended for one in works) - min(one.started for one in works),
            sum(one.cpu for one in works),
            sum(one.accepted for one in works),
            works,
        )


def _work(folder: Path, way: Way, pipe: "Connection[Any, Any]") -> None:
    if way.cores:
        os.sched_setaffinity(0, way.cores)
    LOOPS[way.loop](_deliver(folder, way, pipe))


async def _deliver(folder: Path, way: Way, pipe: "Connection[Any, Any]") -> None:
    if not way.before_the_dot:
        GroupCommit.may_send = _yes  # type: ignore[method-assign,assignment]
    async with at_work(folder) as (engine, campaign):
        pipe.send("ready")
        try:
            pipe.recv()
        except EOFError:
            return
        report = CampaignReport(campaign.slug)
        resident: list[int] = []
        started, cpu = time.perf_counter(), time.process_time()
        await deliver(
            engine,
            campaign,
            report,
            on_progress=lambda _: resident.append(_memory("VmRSS")),
        )
        ended, cpu = time.perf_counter(), time.process_time() - cpu
        done = report.count(State.ACCEPTED)
        pipe.send(Work(started, ended, cpu, done, _memory("VmHWM"), tuple(resident)))


async def _yes(_ledger: GroupCommit, _claim: Claim, _touchpoint_id: int) -> bool:
    """What `may_send` would cost if it cost nothing: no promise is kept, for measuring only."""
    return True


def _memory(what: str) -> int:
    """Bytes of `VmRSS`, resident now, or `VmHWM`, its peak. (getrusage's peak is the parent's.)"""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{what}:"))
    return int(line.split()[1]) * 1024
