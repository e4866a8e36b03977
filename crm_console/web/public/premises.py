"""What every door of the public web app works with."""

from dataclasses import dataclass

from crm_console.web.public.certificates import Fetch
from crm_console.web.public.receiving import Receiving
from crm_store.database import Store
from flows.clock import Clock
from flows.project import Project


@dataclass(frozen=True)
class Premises:
    """One club, as its doors see it."""

    project: Project
    store: Store
    club_id: int
    clock: Clock
    fetch: Fetch
    """How a certificate is had."""
    receiving: Receiving
    """Where a message goes that is verified: `await receiving.receive(arrival)`, then 2xx."""
