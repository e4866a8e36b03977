"""Mails that come back, as far as the ledger: what is believed, what counts once, what is kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from bounce_letters import ASHA, OURS, auto_reply, bounce, complaint, letter
from bounces_document import examples, rows
from engines import Workshop
from making import (
    NOW,
    make_customer,
    make_enrollment,
    make_touchpoint,
    make_version,
    rows_of,
)
from smtp_script import until
from sqlalchemy.exc import OperationalError

from crm_messaging.bounces.letter import Letter
from crm_messaging.bounces.maildir import Maildir
from crm_messaging.feedback import Verdict
from crm_messaging.links import Links
from crm_store.database import keys_of, open_store
from crm_store.models.event import Event
from crm_store.models.inbox import InboundMessage
from crm_store.models.touchpoint import Touchpoint
from crm_store.suppressions import suppressions
from flows.bounces import (
    READER,
    SOURCE,
    collect,
    keep,
    take_in,
    try_mailbox,
    watch_mailbox,
)
from flows.project import Project, open_project
from flows.reading_settings import BrokenSettings

SENT = NOW - timedelta(hours=1)
GONE = "550 5.1.1 User unknown"


def with_reader(club: Workshop) -> Workshop:
    club.engine = replace(club.engine, readers={SOURCE: READER})
    return club


@pytest.fixture
def club(club: Workshop) -> Workshop:
    return with_reader(club)


@pytest.fixture
def lite_club(lite_club: Workshop) -> Workshop:
    return with_reader(lite_club)


def a_message_to(club: Workshop, address: str, message_id: str) -> int:
    customer = make_customer(club.store, email=address)
    version = make_version(club.store, version=len(rows_of(club.store, Touchpoint, "id")) + 1)
    enrollment = make_enrollment(club.store, customer, version)
    return make_touchpoint(
        club.store,
        customer,
        enrollment,
        state="accepted",
        sent_at=SENT,
        settled_at=SENT,
        version_id=version,
        message_id=message_id,
    )


def return_path_of(club: Workshop, touchpoint: int) -> str:
    with club.store.read() as connection:
        return f"bounces+{Links(keys_of(connection)).return_token(touchpoint)}@lotus.example"


async def come(club: Workshop, *raws: bytes) -> list[str]:
    """The mails come in; what became of them, a word each."""
    mails = keep(club.store, club.engine.club_id, raws, club.clock)
    return [f"{one.event} {one.state}" for one in await take_in(club.engine, mails)]


def suppressed(club: Workshop, *addresses: str) -> list[str]:
    asked = [("email", one) for one in addresses or (ASHA,)]
    with club.store.read() as connection:
        return [address for _, address in suppressions(connection, asked)]


MAILS = {
    "hard_bounce": bounce(GONE, "5.1.1"),
    "complaint": complaint(),
    "unsubscribed": complaint("opt-out"),
    "blocked": bounce("550 5.7.1 blocked", "5.7.1"),
    "mailbox_full": bounce("552 5.2.2 Mailbox full", "5.2.2"),
    "soft_bounce": bounce("451 4.4.1 no", "4.4.1"),
    "delayed": bounce("451 4.4.1 no", "4.4.1", action="delayed"),
    "auto_reply": auto_reply(),
    "delivered": bounce("250 ok", "2.0.0", action="delivered"),
}


@pytest.mark.parametrize(("verdict", "means", "state", "address"), rows("What a mail comes to"))
async def test_the_table_of_verdicts_is_true(
    verdict: str, means: str, state: str, address: str, lite_club: Workshop
) -> None:
    word = verdict.strip("`")
    a_message_to(lite_club, ASHA, OURS)
    for _ in range(2):
        await come(lite_club, MAILS[word])
    expected = "accepted" if state == "stays" else state
    reason = word if state == "bounced" else None
    assert rows_of(lite_club.store, Touchpoint, "state", "reason") == [(expected, reason)]
    assert bool(suppressed(lite_club)) is (address != "stays")
    assert len(rows_of(lite_club.store, Event, "id")) == 1
    assert Verdict(word).sentence == means


async def test_the_return_path_alone_names_the_message(club: Workshop) -> None:
    path = return_path_of(club, a_message_to(club, ASHA, OURS))
    body = f"<{ASHA}>: {GONE}"
    raw = letter("Subject: failure notice", f"Delivered-To: {path}", body=body)
    assert await come(club, raw) == ["email_bounced bounced"]
    assert suppressed(club) == [ASHA]


async def test_a_forged_bounce_takes_no_address_out(club: Workshop) -> None:
    """Anybody can write a mail; what nobody else knows is our Message-ID and the return path."""
    a_message_to(club, ASHA, OURS)
    ravi = a_message_to(club, "ravi@example.org", "<other@lotus.example>")
    stranger = letter("Subject: failure notice", body=f"<{ASHA}>: {GONE}")
    with_a_path_of_his_own = letter(
        "Subject: failure notice",
        f"Delivered-To: {return_path_of(club, ravi)}",
        body=f"<{ASHA}>: {GONE}",
    )
    complains = complaint().replace(OURS.encode(), b"<made-up@lotus.example>")
    await come(club, stranger, with_a_path_of_his_own, complains)
    assert suppressed(club, ASHA, "ravi@example.org") == []


async def test_a_complaint_from_where_hers_is_forwarded_to_is_hers(lite_club: Workshop) -> None:
    a_message_to(lite_club, ASHA, OURS)
    await come(lite_club, complaint(recipient="forwarded@example.net"))
    assert suppressed(lite_club) == [ASHA]


async def test_a_persons_mail_is_not_kept(lite_club: Workshop) -> None:
    raw = letter("Subject: My membership", body="Please freeze it.", sender=ASHA)
    assert await come(lite_club, raw) == []
    assert rows_of(lite_club.store, InboundMessage, "id") == []


class Box:
    """A mailbox whose marks can fail, as when the program dies before it has marked."""

    def __init__(self, *raws: bytes) -> None:
        self.letters = {str(number): raw for number, raw in enumerate(raws)}
        self.marked: dict[str, bool] = {}
        self.dies = False

    def waiting(self, limit: int) -> list[Letter]:
        waiting = [Letter(*one) for one in self.letters.items() if one[0] not in self.marked]
        return waiting[:limit]

    def mark(self, reports: Sequence[str], others: Sequence[str]) -> None:
        if self.dies:
            raise KeyboardInterrupt
        self.marked |= dict.fromkeys(reports, True) | dict.fromkeys(others, False)


def collected(club: Workshop, box: Box) -> int:
    return len(collect(club.store, club.engine.club_id, box, club.clock))


async def test_a_letter_is_marked_once_it_is_safe_and_counts_once(lite_club: Workshop) -> None:
    a_message_to(lite_club, ASHA, OURS)
    box = Box(bounce(GONE, "5.1.1"), letter("Subject: Hello", body="", sender=ASHA))
    box.dies = True
    with pytest.raises(KeyboardInterrupt):
        collected(lite_club, box)
    box.dies = False
    assert collected(lite_club, box) == 2
    assert box.marked == {"0": True, "1": False}
    assert collected(lite_club, box) == 0
    assert len(rows_of(lite_club.store, InboundMessage, "id")) == 1
    await take_in(lite_club.engine, [])
    assert len(rows_of(lite_club.store, Event, "id")) == 1


def test_when_the_store_is_away_the_letters_stay(lite_club: Workshop) -> None:
    box = Box(bounce(GONE, "5.1.1"))
    away = open_store("sqlite:///away.db", base=lite_club.folder)
    with pytest.raises(OperationalError):
        collect(away, lite_club.engine.club_id, box, lite_club.clock)
    away.close()
    assert box.marked == {}


def test_a_mailbox_that_keeps_no_marks_is_read_once(lite_club: Workshop) -> None:
    class Forgetful(Box):
        def mark(self, reports: Sequence[str], others: Sequence[str]) -> None:
            pass

    assert collected(lite_club, Forgetful(bounce(GONE, "5.1.1"), auto_reply())) == 2


def test_a_maildir(lite_club: Workshop, tmp_path: Path) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    for number in range(250):
        (tmp_path / "new" / f"{number:04}.host").write_bytes(bounce(GONE, f"5.1.{number % 2}"))
    (tmp_path / "new" / "9999.host").write_bytes(letter("Subject: Hello", body="", sender=ASHA))
    box = Maildir(tmp_path)
    found = collect(lite_club.store, lite_club.engine.club_id, box, lite_club.clock)
    assert len(found) == 251
    assert list((tmp_path / "new").iterdir()) == []
    flags = [path.name.partition(":")[2] for path in (tmp_path / "cur").iterdir()]
    assert (flags.count("2,S"), flags.count("2,")) == (250, 1)


LIVE = """
club: {name: Lotus, timezone: Asia/Kolkata, country: IN, languages: [en]}
mode: live
bounces: {maildir: back}
"""


def a_project(folder: Path, text: str = LIVE) -> Project:
    (folder / "club.yaml").write_text(text, encoding="utf-8")
    (folder / "back" / "new").mkdir(parents=True)
    (folder / "back" / "cur").mkdir()
    (folder / "back" / "new" / "1.host").write_bytes(bounce(GONE, "5.1.1"))
    return open_project(folder)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (LIVE, 1),
        (LIVE.replace("live", "rehearsal"), 0),
        (LIVE.replace("bounces", "pipelines").replace("back", "[new]"), 0),
    ],
    ids=["live", "rehearsal", "no mailbox"],
)
async def test_the_mailbox_of_the_settings(
    text: str, taken: int, lite_club: Workshop, tmp_path: Path
) -> None:
    await try_mailbox(a_project(tmp_path, text), lite_club.engine)
    assert len(rows_of(lite_club.store, InboundMessage, "id")) == taken
    assert len(list((tmp_path / "back" / "new").iterdir())) == 1 - taken


async def test_a_mailbox_that_is_away_stops_nobody(
    lite_club: Workshop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project = a_project(tmp_path, LIVE.replace("back", "elsewhere"))
    await try_mailbox(project, lite_club.engine)
    assert "bounces were not read: The maildir" in caplog.text


async def test_it_is_watched_until_the_end(lite_club: Workshop, tmp_path: Path) -> None:
    stop = asyncio.Event()
    watching = asyncio.create_task(watch_mailbox(a_project(tmp_path), lite_club.engine, stop))
    async with asyncio.timeout(10):
        await until(lambda: bool(rows_of(lite_club.store, InboundMessage, "id")))
        stop.set()
        await watching


def test_the_password_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, imap = examples("Where they come in")
    monkeypatch.setenv("SAMPARK_BOUNCES__PASSWORD", "s3cret")
    settings = a_project(tmp_path, LIVE.replace("bounces: {maildir: back}", imap)).settings
    assert settings.bounces is not None
    assert settings.bounces.password is not None
    assert settings.bounces.password.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)
    (tmp_path / "club.yaml").write_text(LIVE.replace("{maildir: back}", "{password: x}"))
    with pytest.raises(BrokenSettings, match="SAMPARK_BOUNCES__PASSWORD"):
        open_project(tmp_path)
