"""The club: its campaigns and messages, and its database."""

from collections.abc import Iterator

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from crm_console.examination.finding import Finding, broken, note, ok
from crm_console.examination.obligations import obligations
from crm_console.terminal import many
from crm_store.clubs import find_club
from crm_store.database import Store, open_store
from crm_store.errors import SamparkError
from crm_store.inbox import count_failed
from crm_store.keys import NoSecretKey
from crm_store.models.operation import EVERYTHING
from crm_store.pauses import pauses
from crm_store.schema import current, head
from flows.campaigns import PUT_FILE_BACK, without_file
from flows.ledger_mark import misgiving
from flows.project import Project


def examine_campaigns(project: Project) -> Iterator[Finding]:
    """Whether every campaign can run."""
    files = project.check()
    unsound = [one for one in files if one.definition is None]
    if unsound:
        names = ", ".join(one.path.name for one in unsound)
        yield broken("campaigns", f"disabled, being broken: {names}", "Run: sampark check")
    elif not files:
        yield note("campaigns", f"there are none in {project.campaigns_folder}")
    else:
        yield ok("campaigns", f"{many(len(files), 'campaign')} and their messages are sound")
    for owed in obligations(project, files):
        if owed.severity == "error":
            yield broken("obligations", owed.message, f"{owed.fix[:1].upper()}{owed.fix[1:]}.")


def examine_key(project: Project) -> Iterator[Finding]:
    """Whether there is a secret key. A store that knows another one says so when it is used."""
    try:
        project.settings.keys()
    except NoSecretKey as error:
        yield broken("secret key", error.reason, error.instruction)
    else:
        yield ok("secret key", "links are signed, suppressed addresses are kept by hash")


def examine_database(project: Project) -> Iterator[Finding]:
    """Whether the store answers, and speaks this program's schema. Nothing is changed or made."""
    url = project.settings.database
    try:
        parsed = make_url(url)
    except ArgumentError:
        yield broken("database", "its URL cannot be read", "Write it as sqlite:///sampark.db.")
        return
    shown = parsed.render_as_string(hide_password=True)
    if (
        parsed.get_backend_name() == "sqlite"
        and not (project.folder / (parsed.database or "")).is_file()
    ):
        yield note("database", f"{shown} is not there yet; the first import or sweep makes it")
        return
    try:
        store = open_store(url, base=project.folder)
        try:
            revision = current(store)
            within = [*_within(project, store)] if revision == head() else []
        finally:
            store.close()
    except SamparkError as error:
        yield broken("database", error.reason, "Check `database:` in club.yaml, and the server.")
        return
    if revision is None:
        yield note("database", f"{shown} is empty; the first import or sweep sets it up")
    elif revision > head():
        yield broken(
            "database",
            f"{shown} is at schema {revision}, newer than this program's {head()}",
            "Use the newer Sampark that the database was last opened with.",
        )
    elif revision < head():
        yield note("database", f"{shown} is at schema {revision}; the next sweep brings it up")
    else:
        yield ok("database", f"{shown} answers, schema {revision}")
    yield from within


def _within(project: Project, store: Store) -> Iterator[Finding]:
    yield from _without_file(project, store)
    yield from _pauses(store)
    if doubt := misgiving(store, project.ledger_memory, project.settings.mode):
        then = "Or let the next sweep pause everything, and go on with: sampark resume"
        yield broken("ledger", doubt, then)
    yield from _unread(store)


def _without_file(project: Project, store: Store) -> Iterator[Finding]:
    """Campaigns that wait for a file that somebody has taken away."""
    with store.read() as connection:
        club_id = find_club(connection, project.settings.club.code)
    gone = {} if club_id is None else without_file(store, club_id, project.check())
    for campaign, why in gone.items():
        mend = f"{PUT_FILE_BACK[:1].upper()}{PUT_FILE_BACK[1:]}."
        yield broken("campaigns", f"{campaign}: {why}", mend)


def _pauses(store: Store) -> list[Finding]:
    """What sends nothing because somebody, or Sampark itself, has stopped it."""
    with store.read() as connection:
        found = pauses(connection)
    return [
        note("paused", f"everything: {one.reason}", "To go on: sampark resume")
        if one.campaign == EVERYTHING
        else note(
            "paused", f"{one.campaign}: {one.reason}", f"To go on: sampark resume {one.campaign}"
        )
        for one in found
    ]


def _unread(store: Store) -> Iterator[Finding]:
    """What others have sent that was of no use."""
    with store.read() as connection:
        failed = count_failed(connection)
    if failed:
        what = f"{many(failed, 'message')} from outside could not be used"
        yield note("inbox", what, "To see why: sampark inbox")
