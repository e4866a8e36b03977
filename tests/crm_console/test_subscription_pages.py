"""The pages behind a message's links, visited by readers, mail programs, scanners and attackers."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from making import make_club, make_consent, make_customer, make_suppression, rows_of
from public_site import public_project, public_site
from subscription_site import ASHA, PHONE, Site, a_site

from crm_messaging.links import Click, Purpose
from crm_store.columns import LARGEST_ID
from crm_store.database import Store
from crm_store.models.consent import ConsentRecord

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
ORIGIN = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(store, tmp_path) as made:
        yield made


@pytest.fixture
async def sqlite_site(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(sqlite_store, tmp_path) as made:
        yield made


async def test_a_mail_programs_one_click_is_out_at_once_and_everywhere(site: Site) -> None:
    """RFC 8058: no cookie, no redirect, a foreign origin, and a second time."""
    double = make_customer(site.store, email=ASHA)
    for _ in range(2):
        answer = await site.client.post(
            site.path(Purpose.UNSUBSCRIBE), data=ONE_CLICK, headers=ORIGIN
        )
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert site.is_out()
    assert site.standing() == site.standing(double) == {("email", "*"): False}
    columns = ("customer_id", "step", "source", "touchpoint_id")
    assert rows_of(site.store, ConsentRecord, *columns) == [
        (site.asha, "refused", "one_click", site.touchpoint),
        (double, "refused", "one_click", site.touchpoint),
    ]
    assert not site.is_out(PHONE, "sms")


async def test_one_click_as_multipart(sqlite_site: Site) -> None:
    files = {name: (None, value) for name, value in ONE_CLICK.items()}
    answer = await sqlite_site.client.post(sqlite_site.path(Purpose.UNSUBSCRIBE), files=files)
    assert answer.status_code == 200
    assert rows_of(sqlite_site.store, ConsentRecord, "source") == [("one_click",)]


async def test_a_scanner_that_follows_every_link_changes_nothing(site: Site) -> None:
    before = site.everything()
    to_see = [site.path(purpose) for purpose in Purpose]
    seen: set[str] = set()
    while to_see:
        path = to_see.pop()
        seen.add(path)
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = await site.client.request(method, path)
            assert answer.status_code in (200, 405), path
            to_see += [
                found
                for found in re.findall(r'(?:href|action)="(/[^"]*)"', answer.text)
                if found not in seen and found not in to_see
            ]
    assert len(seen) > len(Purpose)
    assert site.everything() == before


async def test_she_leaves_and_thinks_again(site: Site) -> None:
    page = await site.get(site.path(Purpose.UNSUBSCRIBE))
    assert "<script" not in page
    assert ASHA not in page
    page = await site.post(site.path(Purpose.UNSUBSCRIBE))
    assert "You are unsubscribed" in page
    assert rows_of(site.store, ConsentRecord, "source") == [("unsubscribe_page",)]
    [back] = re.findall(r'href="(/p/[^"]+)"', page)
    page = await site.get(back)
    assert "checked" not in page.split("By text message")[0]
    page = await site.post(back, data=[("wants", "email:news"), ("wants", "sms:news")])
    assert "Saved" in page
    assert site.standing() == {
        ("email", "news"): True,
        ("email", "offers"): False,
        ("sms", "news"): True,
        ("sms", "offers"): False,
    }
    assert not site.is_out()
    records = rows_of(site.store, ConsentRecord, "topic", "step", "source", "text_version")
    assert ("news", "granted", "preferences", "1") in records


async def test_none_of_this_is_an_opt_out_on_every_channel(site: Site) -> None:
    ticked = [("wants", "email:news"), ("do", "nothing")]
    await site.post(site.path(Purpose.PREFERENCES), data=ticked)
    assert site.standing() == {("email", "*"): False, ("sms", "*"): False}
    assert site.is_out()
    assert site.is_out(PHONE, "sms")


async def test_the_preference_centre_shows_what_reaches_her(sqlite_site: Site) -> None:
    make_consent(sqlite_site.store, sqlite_site.asha, topic="offers")
    page = await sqlite_site.get(sqlite_site.path(Purpose.PREFERENCES))
    ticked = re.findall(r'value="([^"]+)" checked', page)
    assert ticked == ["email:news", "sms:news", "sms:offers"]
    assert "Your bookings" in page
    assert 'value="email:bookings"' not in page


async def test_a_dead_address_is_no_choice_of_hers(sqlite_site: Site) -> None:
    make_suppression(sqlite_site.store, "email", ASHA, cause="complaint")
    page = await sqlite_site.get(sqlite_site.path(Purpose.PREFERENCES))
    assert "We do not write to you here any more." in page
    assert 'value="email:news"' not in page
    await sqlite_site.post(sqlite_site.path(Purpose.PREFERENCES), data=[("wants", "sms:news")])
    assert {channel for channel, _ in sqlite_site.standing()} == {"sms"}
    assert sqlite_site.is_out()


@pytest.mark.parametrize(
    ("language", "word"), [("hi-IN", "ये संदेश बंद करें"), ("ru", "Отписаться"), ("de", "Unsubscribe")]
)
async def test_each_page_is_in_her_language(
    sqlite_store: Store, tmp_path: Path, language: str, word: str
) -> None:
    async with a_site(sqlite_store, tmp_path, language=language) as site:
        assert word in await site.get(site.path(Purpose.UNSUBSCRIBE))
        page = await site.get(site.path(Purpose.PREFERENCES))
        assert ("Новости клуба" in page) == (language == "ru")


async def test_double_opt_in_needs_the_button_and_counts_once(site: Site) -> None:
    path = site.path(Purpose.CONFIRM)
    assert "I can end this at any time" in await site.get(path)
    assert site.standing() == {}
    assert "It is confirmed" in await site.post(path)
    assert site.standing() == {("email", "*"): True}
    [(words, version)] = rows_of(site.store, ConsentRecord, "proof", "text_version")
    assert words.startswith("Yes, Lotus Fitness may send me e\u2011mails")
    assert version == "1"
    site.clock.now += timedelta(hours=1)
    await site.post(site.path(Purpose.UNSUBSCRIBE), data=list(ONE_CLICK.items()))
    assert "You have answered already" in await site.post(path)
    assert site.standing() == {("email", "*"): False}
    assert site.is_out()


async def test_a_confirmation_for_an_address_that_is_not_hers_now(sqlite_site: Site) -> None:
    """Asked for from her own mailbox, then the address was changed to somebody else's."""
    path = sqlite_site.path(Purpose.CONFIRM, address="attacker@example.org")
    for answer in (await sqlite_site.client.get(path), await sqlite_site.client.post(path)):
        assert answer.status_code == 404
    assert sqlite_site.standing() == {}


async def test_with_an_old_mailbox_one_can_leave_and_nothing_else(sqlite_site: Site) -> None:
    old = "old@example.org"
    answer = await sqlite_site.client.post(sqlite_site.path(Purpose.PREFERENCES, address=old))
    assert answer.status_code == 404
    [leave] = re.findall(r'href="(/u/[^"]+)"', answer.text)
    await sqlite_site.post(leave)
    assert sqlite_site.is_out(old)
    assert sqlite_site.is_out()


async def test_the_link_of_someone_who_was_erased_still_leads_out(sqlite_site: Site) -> None:
    gone = sqlite_site.path(Purpose.UNSUBSCRIBE, address="gone@example.org", touchpoint=999_999)
    assert "You are unsubscribed" in await sqlite_site.post(gone)
    assert sqlite_site.is_out("gone@example.org")


async def test_an_old_link_to_choose_leads_only_out(sqlite_site: Site) -> None:
    sqlite_site.clock.now += timedelta(days=200)
    answer = await sqlite_site.client.post(sqlite_site.path(Purpose.PREFERENCES))
    assert answer.status_code == 404
    assert re.search(r'href="/u/[\w-]{34}"', answer.text)
    assert sqlite_site.standing() == {}
    assert "unsubscribed" in await sqlite_site.post(sqlite_site.path(Purpose.UNSUBSCRIBE))


async def test_forged_and_borrowed_links_are_all_refused_alike(sqlite_site: Site) -> None:
    """Nobody learns whether a person, a message or an address is there."""
    real = sqlite_site.path(Purpose.UNSUBSCRIBE)
    forged = [
        real[:-1] + ("A" if real[-1] != "A" else "Q"),
        real + "A",
        "/u/" + "A" * 34,
        "/u/asha@example.org",
        "/u/1",
        "/u/%2e%2e",
        "/u/" + "\u0661" * 34,
        real.replace("/u/", "/p/"),
        real.replace("/u/", "/ok/"),
        sqlite_site.path(Purpose.CONFIRM).replace("/ok/", "/u/"),
    ]
    told = set()
    for path in forged:
        for answer in (await sqlite_site.client.get(path), await sqlite_site.client.post(path)):
            assert answer.status_code == 404, path
            told.add(answer.text)
    assert len(told) == 1
    assert not sqlite_site.is_out()
    assert sqlite_site.standing() == {}


@pytest.mark.parametrize("number", [LARGEST_ID, LARGEST_ID + 1, 2**40 - 1])
async def test_a_link_of_a_message_that_never_was(
    store: Store, tmp_path: Path, number: int
) -> None:
    """Well signed, of a row that is not there or that no database could have."""
    async with a_site(store, tmp_path) as site:
        choose, confirm = (
            site.path(one, touchpoint=number) for one in (Purpose.PREFERENCES, Purpose.CONFIRM)
        )
        clicks = [Click(number, site.touchpoint), Click(1, number)]
        for path in (choose, confirm, *(f"/c/{site.links.click(*one)}" for one in clicks)):
            assert (await site.client.get(path)).status_code == 404
        for path in (choose, confirm):
            assert (await site.client.post(path)).status_code == 404
        assert site.everything() == [[], [], []]


async def test_a_thousand_ticks_are_nobodys(sqlite_site: Site) -> None:
    path = sqlite_site.path(Purpose.PREFERENCES)
    answer = await sqlite_site.client.post(path, content=b"wants=email:news&" * 800)
    assert answer.status_code == 400
    assert sqlite_site.standing() == {}


async def test_twenty_at_once_leave_once(site: Site) -> None:
    path = site.path(Purpose.UNSUBSCRIBE)
    answers = await asyncio.gather(*(site.client.post(path) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert site.is_out()
    assert len(site.everything()[1]) == 1


async def test_no_page_leads_anywhere_else(sqlite_site: Site) -> None:
    """There is no parameter that a redirect could be made of, and the host's name is not used."""
    for purpose in Purpose:
        for more in ("?next=https://evil.example", "?url=//evil.example", "/https://evil.example"):
            path = sqlite_site.path(purpose) + more
            answer = await sqlite_site.client.get(path, headers={"Host": "evil.example"})
            assert answer.status_code in (200, 404)
            assert "location" not in answer.headers
            assert "evil.example" not in answer.text


async def test_a_guessers_requests_are_bounded_and_a_mail_providers_are_not(
    sqlite_site: Site,
) -> None:
    leave = sqlite_site.path(Purpose.UNSUBSCRIBE)
    answers = await asyncio.gather(*(sqlite_site.client.get(leave) for _ in range(70)))
    assert {answer.status_code for answer in answers} == {200}
    guesses = [f"/u/{number:034d}" for number in range(70)]
    answers = await asyncio.gather(*(sqlite_site.client.get(path) for path in guesses))
    assert {answer.status_code for answer in answers} == {404, 429}
    assert (await sqlite_site.client.get(leave)).status_code == 429


@pytest.mark.parametrize(
    ("colour", "on_it"), [("#0f6b5c", "#ffffff"), ("#ffe14d", "#101614"), ("#000000", "#ffffff")]
)
async def test_the_look_is_in_the_clubs_colour_and_can_be_read(
    sqlite_store: Store, tmp_path: Path, colour: str, on_it: str
) -> None:
    project = public_project(tmp_path / "club", about=f'colour: "{colour}"')
    async with public_site(project, sqlite_store, make_club(sqlite_store)) as client:
        answer = await client.get("/look/club.css")
    assert f"--accent: {colour}; --on-accent: {on_it};" in answer.text
    assert answer.headers["content-type"].startswith("text/css")
