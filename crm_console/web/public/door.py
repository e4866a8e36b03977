"""A door: one part of the public web app, and how far it stands open."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter

from crm_console.web.public.premises import Premises

KIB = 1024


class Counted(StrEnum):
    """What uses up an address's allowance."""

    REQUESTS = "requests"
    """All of them: for pages that people visit."""
    REFUSALS = "refusals"
    """Those answered with 4xx: for senders who prove who they are, and may send thousands."""


@dataclass(frozen=True)
class Allowance:
    """How much one address may ask for: `burst` at once, and `per_minute` for good."""

    burst: int = 60
    per_minute: float = 60
    counts: Counted = Counted.REQUESTS


@dataclass(frozen=True)
class Door:
    """All that is under one prefix, such as ``/hooks``."""

    prefix: str
    routes: Callable[[Premises], APIRouter]
    """Makes its routes; their paths begin with the prefix."""
    max_body: int = 64 * KIB
    """Bytes; a larger body is answered with 413 and not read on."""
    allowance: Allowance = Allowance()
