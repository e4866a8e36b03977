"""What a club's settings say wrongly is told in a sentence; what lies beside them is private."""

from pathlib import Path

import pytest

from crm_messaging.rehearsal.caught import CaughtMail
from crm_store.database import open_store, reachable
from crm_store.errors import EnvironmentUnready, SamparkError
from crm_store.keys import KeyRing, NoSecretKey
from crm_store.schema import upgrade
from flows.reading_settings import BrokenSettings, read_settings

CLUB = """
club: {name: Lotus, timezone: Asia/Kolkata, country: IN, languages: [en]}
"""


def write(folder: Path, more: str = "") -> None:
    (folder / "club.yaml").write_text(CLUB + more, encoding="utf-8")


@pytest.mark.parametrize(
    "key", ["email", "ref", "email_opt_out", "do_not_contact", "A B", "", "a'b", "a.b"]
)
def test_a_field_of_ones_own_has_a_key_of_its_own(tmp_path: Path, key: str) -> None:
    """One called `email` would put addresses into the store as they stand, past every opt-out."""
    write(tmp_path, f'fields: {{"{key}": {{type: text}}}}\n')
    with pytest.raises(BrokenSettings, match="key"):
        read_settings(tmp_path)


@pytest.mark.parametrize("kind", ["any", "tags", "colour", "7", "[text]"])
def test_a_field_of_ones_own_has_a_plain_type(tmp_path: Path, kind: str) -> None:
    write(tmp_path, f"fields: {{goal: {{type: {kind}}}}}\n")
    told = "cannot be of type .*; choose from text, integer, number, boolean, date$"
    with pytest.raises(BrokenSettings, match=told):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("whole", "part"),
    [("SAMPARK_CLUB", "SAMPARK_CLUB__NAME"), ("SAMPARK_CLUB__NAME", "SAMPARK_CLUB__NAME__X")],
)
def test_variables_that_contradict_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: str, part: str
) -> None:
    write(tmp_path)
    monkeypatch.setenv(whole, "x")
    monkeypatch.setenv(part, "y")
    with pytest.raises(SamparkError, match=f"{part} speaks of a part"):
        read_settings(tmp_path)


def test_files_that_are_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    odd = tmp_path / ".env"
    odd.write_bytes(b"SAMPARK_MODE=\xff\n")
    with pytest.raises(SamparkError, match=r"\.env is not UTF-8"):
        read_settings(tmp_path)
    odd.rename(tmp_path / "secret")
    monkeypatch.setenv("SAMPARK_CHANNELS__EMAIL__SMTP__PASSWORD_FILE", str(tmp_path / "secret"))
    with pytest.raises(SamparkError, match="it is not UTF-8"):
        read_settings(tmp_path)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "club.db").write_text("no database " * 100)
    store = open_store("sqlite:///club.db", base=tmp_path)
    with pytest.raises(EnvironmentUnready, match="not a database"), reachable():
        upgrade(store)
    store.close()


def test_what_holds_addresses_is_its_owners_alone(tmp_path: Path) -> None:
    store = open_store("sqlite:///club.db", base=tmp_path)
    upgrade(store)
    CaughtMail(tmp_path / "state" / "caught")
    for path in (*tmp_path.glob("club.db*"), tmp_path / "state" / "caught"):
        assert path.stat().st_mode & 0o077 == 0, path
    store.close()


KEY = "k" * 43


@pytest.mark.parametrize("named", ["SAMPARK_SECRET_KEY", "SAMPARK_SECRET_KEY_FILE"])
def test_the_secret_key_comes_from_the_environment_and_shows_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    write(tmp_path)
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv(named, str(tmp_path / "key") if named.endswith("_FILE") else KEY)
    settings = read_settings(tmp_path)
    assert settings.keys().fingerprints == KeyRing(KEY).fingerprints
    assert KEY not in repr(settings)


def test_a_secret_key_that_is_missing_short_or_in_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    with pytest.raises(NoSecretKey, match=r"token_urlsafe"):
        read_settings(tmp_path).keys()
    monkeypatch.setenv("SAMPARK_SECRET_KEY", "short-and-secret")
    with pytest.raises(BrokenSettings, match="at least 32 characters") as refused:
        read_settings(tmp_path)
    assert "short-and-secret" not in str(refused.value)
    monkeypatch.delenv("SAMPARK_SECRET_KEY")
    write(tmp_path, f"secret_key: {KEY}\n")
    with pytest.raises(BrokenSettings, match="must not stand in YAML"):
        read_settings(tmp_path)


def test_the_key_of_before_is_kept_beside_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    monkeypatch.setenv("SAMPARK_SECRET_KEY", KEY)
    monkeypatch.setenv("SAMPARK_SECRET_KEY_PREVIOUS", f"{'a' * 32}, {'b' * 32}")
    ring = KeyRing(KEY, ["a" * 32, "b" * 32])
    assert read_settings(tmp_path).keys().fingerprints == ring.fingerprints


@pytest.mark.parametrize(
    ("written", "topics", "transactional"),
    [
        ("topics: [news, offers]\n", ["news", "offers"], set()),
        (
            "topics:\n  news:\n  bookings: {transactional: true}\n",
            ["news", "bookings"],
            {"bookings"},
        ),
        ("", [], set()),
    ],
)
def test_topics_as_a_list_or_with_more_about_each(
    tmp_path: Path, written: str, topics: list[str], transactional: set[str]
) -> None:
    write(tmp_path, written)
    settings = read_settings(tmp_path)
    assert list(settings.topics) == topics
    assert settings.transactional == transactional


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("topics: news\n", "topics"),
        ("topics: {news: {transactionel: true}}\n", "transactional"),
        ("consent: {opt_in: {email: tripple}}\n", "single"),
    ],
)
def test_topics_and_consent_that_cannot_be_read(tmp_path: Path, written: str, told: str) -> None:
    write(tmp_path, written)
    with pytest.raises(BrokenSettings, match=told):
        read_settings(tmp_path)


MESSENGER = """
fields: {chat_id: {type: text}}
channels:
  messages:
    telegram: {provider: gateway, url: "https://g.example", to: custom.FIELD}
"""


def test_a_messengers_addresses_stand_in_a_field_that_there_is(tmp_path: Path) -> None:
    write(tmp_path, MESSENGER.replace("FIELD", "chat_id"))
    assert read_settings(tmp_path).channels.address_fields == (("telegram", "chat_id"),)
    write(tmp_path, MESSENGER.replace("FIELD", "chat"))
    with pytest.raises(BrokenSettings, match=r"`custom\.chat`, and `fields:` has no `chat`"):
        read_settings(tmp_path)


def test_a_hook_secret_stands_in_no_file_that_is_mailed_around(tmp_path: Path) -> None:
    write(tmp_path, "channels: {sms: {provider: kannel, username: u, hook_secret: x}}")
    with pytest.raises(BrokenSettings, match="SAMPARK_CHANNELS__SMS__HOOK_SECRET"):
        read_settings(tmp_path)


def test_every_mistake_is_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    """A secret among them hides none, and of the secret itself nothing more is said."""
    told_of = """\
colour: red
channels:
  email: {from: "Lotus", smtp: {host: mail.example, port: many, password: [hunter2]}}
secret_key: hunter2
mode: lively
topics: {news: {transactionel: true}}
"""
    write(tmp_path, told_of)
    with pytest.raises(BrokenSettings) as refused:
        read_settings(tmp_path)
    assert [(one.line, one.message) for one in refused.value.problems] == [
        (3, "unknown key `colour`"),
        (5, "`from`: write it as hello@club.example or Club <hello@club.example>"),
        (5, "`port` must be a whole number"),
        (5, "`password` is a secret and must not stand in YAML"),
        (6, "`secret_key` is a secret and must not stand in YAML"),
        (7, "`mode` cannot be `lively`"),
        (8, "unknown key `transactionel`"),
    ]
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_a_list(tmp_path: Path) -> None:
    (tmp_path / "club.yaml").write_text("- a\n- b\n")
    with pytest.raises(BrokenSettings, match="the file must be keys with values"):
        read_settings(tmp_path)
