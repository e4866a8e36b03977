"""A folder on an IMAP server: what is fetched, what is marked, and what is said when it fails."""

from pathlib import Path
from typing import Any

import pytest
from bounce_letters import auto_reply, bounce, letter
from imap_server import FOLDER, PASSWORD, USER, ImapServer, imap_server, server_of
from pydantic import SecretStr, ValidationError
from tls_files import make_certificate

from crm_messaging.bounces.letterbox import open_letterbox
from crm_messaging.bounces.mail import MAX_READ
from crm_messaging.bounces.maildir import Maildir
from crm_messaging.bounces.settings import BouncesSettings
from crm_store.errors import EnvironmentUnready

REPORT, ANSWER = bounce("550 5.1.1 gone", "5.1.1"), auto_reply()
HELLO = letter("Subject: Hello", body="Are you open on Sunday?", sender="asha@example.org")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def settings_for(port: int, certificate: tuple[Path, Path], **more: Any) -> BouncesSettings:
    values = {
        "host": "127.0.0.1",
        "port": port,
        "ca_file": certificate[0],
        "username": USER,
        "password": SecretStr(PASSWORD),
        "folder": FOLDER,
    }
    return BouncesSettings(**{**values, **more})


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("keeps_keywords", [True, False])
def test_letters_are_fetched_and_marked(
    certificate: tuple[Path, Path], tls: str, keeps_keywords: bool
) -> None:
    server = server_of(certificate, REPORT, HELLO, ANSWER, tls=tls, keeps_keywords=keeps_keywords)
    with imap_server(server) as port:
        settings = settings_for(port, certificate, tls=tls)
        with open_letterbox(settings, Path()) as box:
            letters = box.waiting(2)
            assert [(one.name, one.raw) for one in letters] == [("7", REPORT), ("8", HELLO)]
            assert server.flags == {}
            box.mark(["7"], ["8"])
            assert [one.name for one in box.waiting(100)] == ["9"]
        with open_letterbox(settings, Path()) as box:
            assert [one.name for one in box.waiting(100)] == ["9"]
    with_keywords: dict[int, set[str]] = {7: {"SamparkRead", "\\Seen"}, 8: {"SamparkRead"}}
    assert server.flags == (with_keywords if keeps_keywords else {7: {"\\Seen"}, 8: {"\\Seen"}})
    assert server.asked[-1] == "LOGOUT"


def test_of_a_giant_only_the_beginning_is_fetched(certificate: tuple[Path, Path]) -> None:
    server = server_of(certificate, REPORT + b"x" * (2 * MAX_READ))
    with (
        imap_server(server) as port,
        open_letterbox(settings_for(port, certificate), Path()) as box,
    ):
        assert len(box.waiting(1)[0].raw) == MAX_READ


@pytest.mark.parametrize(
    ("wrong", "hangs_up_at", "told"),
    [
        ({"password": SecretStr("other")}, "", "does not let bounces in"),
        ({"folder": "Elsewhere"}, "", "has no folder Elsewhere"),
        ({"ca_file": None}, "", "cannot be used"),
        ({}, "SEARCH", "broke off"),
        ({}, "FETCH", "broke off"),
        ({}, "LOGIN", "does not let bounces in"),
    ],
)
def test_what_goes_wrong_is_told_without_the_password(
    certificate: tuple[Path, Path], wrong: dict[str, Any], hangs_up_at: str, told: str
) -> None:
    server: ImapServer = server_of(certificate, REPORT, hangs_up_at=hangs_up_at)
    with imap_server(server) as port:
        settings = settings_for(port, certificate, **wrong)
        with (
            pytest.raises(EnvironmentUnready, match=told) as error,
            open_letterbox(settings, Path()) as box,
        ):
            box.waiting(10)
    assert PASSWORD not in str(error.value)
    assert server.flags == {}


def test_no_server_and_no_maildir(
    certificate: tuple[Path, Path], unused_tcp_port: int, tmp_path: Path
) -> None:
    with (
        pytest.raises(EnvironmentUnready, match="refused"),
        open_letterbox(settings_for(unused_tcp_port, certificate), Path()),
    ):
        pass
    with pytest.raises(EnvironmentUnready, match="No such file"):
        Maildir(tmp_path / "none").waiting(1)


@pytest.mark.parametrize(
    "wrong", [{}, {"maildir": "x", "host": "y", "username": "z"}, {"host": "imap.example"}]
)
def test_settings_name_one_place(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BouncesSettings(**wrong)
