"""Counted links: they lead to stored addresses alone, and what is counted is said to be unknown."""

from datetime import timedelta
from pathlib import Path

import pytest
from making import KEYS, NOW, rows_of
from subscription_site import a_site
from template_folder import ASHA, CATALOGUE, library

from crm_messaging.links import Links
from crm_messaging.render import render_email, values_for
from crm_messaging.tracking import tracked, with_query
from crm_store.database import Store
from crm_store.models.event import Event
from crm_store.tracked_links import keep_links

OWN = "https://go.lotus.example"
CLUB = {"website": "https://lotus.example", "name": "Lotus"}
RENEW = "https://lotus.example/renew?plan=annual&utm_source=lotus"
BODY = """
[Renew]({{ club.website }}/renew?plan=annual) [Hers](https://lotus.example/u/{{ customer.ref }})
[Write](mailto:desk@lotus.example) [Again]({{ club.website }}/renew?plan=annual)
[Leave]({{ message.unsubscribe_url }}) [Ours](https://go.lotus.example/in/trial)
[Fixed](https://shop.example/a)
"""


def test_links_that_are_alike_for_everybody_are_counted(tmp_path: Path) -> None:
    files = {"en/email/a/b.md": f"---\nsubject: Hello\n---\n{BODY}"}
    compiled = library(tmp_path, files).load_email("a/b", "en")
    made = tracked(compiled, CLUB, {"utm_source": "lotus"}, OWN)
    assert made.urls == (RENEW, "https://shop.example/a?utm_source=lotus")
    assert compiled.html.source.count("message.click_") == 0
    row = {name: ASHA[name] for name in compiled.fields if name in ASHA}
    values = values_for(row, "en", CATALOGUE)
    values["message"] = {
        "unsubscribe_url": f"{OWN}/u/x", "click_0": f"{OWN}/c/one", "click_1": f"{OWN}/c/two"
    }  # fmt: skip
    parts = render_email(made.compiled, values)
    assert parts.html.count(f'href="{OWN}/c/one"') == 2
    assert parts.html.count(f'href="{OWN}/c/two"') == 1
    for kept in ("mailto:desk@lotus.example", f"{OWN}/u/x", f"{OWN}/in/trial", "/u/M-1042"):
        assert kept in parts.html
    assert "https://lotus.example/renew?plan=annual" in parts.text
    assert "/c/" not in parts.text


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("https://a.example", "https://a.example?utm_source=x"),
        ("https://a.example/p?q=1#part", "https://a.example/p?q=1&utm_source=x#part"),
        ("https://a.example/?utm_source=own", "https://a.example/?utm_source=own"),
    ],
)
def test_parameters_are_added_and_none_is_said_twice(url: str, made: str) -> None:
    assert with_query(url, {"utm_source": "x"}) == made
    assert with_query(url, {}) == url


async def test_a_click_leads_to_the_stored_address_and_counts_once(
    store: Store, tmp_path: Path
) -> None:
    async with a_site(store, tmp_path) as site:
        with store.write() as connection:
            [link, again] = keep_links(connection, "renewal", [RENEW, RENEW], NOW)
        assert link == again
        path = f"/c/{Links(KEYS).click(link, site.touchpoint)}"
        assert (await site.client.head(path)).headers["location"] == RENEW
        assert rows_of(store, Event) == []
        for _ in range(3):
            answer = await site.client.get(
                f"{path}?url=https://evil.example", follow_redirects=False
            )
            assert (answer.status_code, answer.headers["location"]) == (302, RENEW)
        found = rows_of(store, Event, "name", "data")
        assert [name for name, _ in found] == ["link_clicked", "email_clicked"]
        assert found[0][1] == {
            "touchpoint": site.touchpoint,
            "campaign": "renewal",
            "step": found[0][1]["step"],
            "url": RENEW,
            "who": "machine or person unknown",
        }
        # Of a message that is gone the link still leads there, and nothing is counted.
        gone = f"/c/{Links(KEYS).click(link, 999_999)}"
        assert (await site.client.get(gone)).headers["location"] == RENEW
        assert len(rows_of(store, Event)) == 2


async def test_what_follows_every_link_on_the_way_is_no_click_of_hers(
    store: Store, tmp_path: Path
) -> None:
    async with a_site(store, tmp_path) as site:
        with store.write() as connection:
            [link] = keep_links(connection, "renewal", [RENEW], NOW)
        path = f"/c/{Links(KEYS).click(link, site.touchpoint)}"
        sent = site.clock.now - timedelta(hours=1)
        for seconds in (2, 3, 11, 12):
            site.clock.now = sent + timedelta(seconds=seconds)
            assert (await site.client.head(path)).headers["location"] == RENEW
            assert (await site.client.get(path)).headers["location"] == RENEW
        found = [(name, data["who"]) for name, data in rows_of(store, Event, "name", "data")]
    unknown = "machine or person unknown"
    assert found == [
        ("link_scanned", "machine"),
        ("link_clicked", unknown),
        ("email_clicked", unknown),
    ]


async def test_no_link_leads_to_what_is_not_stored(sqlite_store: Store, tmp_path: Path) -> None:
    async with a_site(sqlite_store, tmp_path) as site:
        unknown = Links(KEYS).click(77, site.touchpoint)
        forged = unknown[:-1] + ("A" if unknown[-1] != "A" else "B")
        for path in (unknown, forged, "https://evil.example", "%2F%2Fevil.example", "x", "A" * 26):
            answer = await site.client.get(f"/c/{path}")
            assert answer.status_code == 404
            assert "location" not in answer.headers
