"""The outbox pages, with caught messages that try everything."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import uvicorn

from crm_console.web.app import create_app
from crm_messaging.rehearsal.caught import CaughtMail
from crm_messaging.rehearsal.reading import CaughtSms

EVIL = "<script>document.title='pwned'</script>\"'&"
POPUPS = "allow-popups allow-popups-to-escape-sandbox"


def html_email(html: str, *, subject: str = "Hello", more: str = "") -> bytes:
    return (
        f"From: {EVIL} <x@y.example>\r\nSubject: {subject}\r\n{more}MIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain {EVIL}\r\n"
        f"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b--\r\n"
    ).encode()


@pytest.fixture
def caught(tmp_path: Path) -> CaughtMail:
    return CaughtMail(tmp_path)


@pytest.fixture
def served(caught: CaughtMail) -> Iterator[str]:
    config = uvicorn.Config(
        create_app(caught, "Lotus <i>Fitness", ZoneInfo("Asia/Kolkata")),
        port=0,
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def browser(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, follow_redirects=True, trust_env=False) as client:
        yield client


@pytest.fixture
def evil(caught: CaughtMail) -> str:
    more = f'X-Evil: {EVIL}\r\nContent-Language: "><script>\r\n'
    link = "<a href='http://127.0.0.1:9/leave'>Leave</a>"
    html = f"<p>{EVIL}</p>{link}<img src=http://tracker.example/p.gif onerror=alert(1)>"
    return caught.catch_email(
        "b@c.example", "eve@mail.example", html_email(html, subject=EVIL, more=more)
    )


def test_an_empty_outbox_says_what_to_do(browser: httpx.Client) -> None:
    page = browser.get("/")
    assert page.url.path == "/outbox"
    assert "Nothing caught yet" in page.text
    assert "Lotus &lt;i&gt;Fitness" in page.text


def test_the_list_shows_who_what_and_when(browser: httpx.Client, caught: CaughtMail) -> None:
    key = caught.catch_sms(CaughtSms("LOTUS", "+919876543210", "नमस्ते Asha", "SM1"))
    moment = datetime(2026, 3, 5, 12, 30, tzinfo=UTC)
    path = caught.folder / "sms" / f"{key}.json"
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    page = browser.get("/outbox").text
    for shown in ("+919876543210", "नमस्ते Asha", "Hindi", f"/outbox/{key}", "5 March 2026"):
        assert shown in page
    assert ">18:00<" in page, "the club's clock, not this machine's"


def test_paging_and_filters_keep_each_other(browser: httpx.Client, caught: CaughtMail) -> None:
    for number in range(120):
        caught.catch_sms(CaughtSms("L", f"+91980000{number:04}", "offer & more", "SM"))
    caught.catch_email("a@b.example", "asha@mail.example", html_email("<p>x</p>"))
    first = browser.get("/outbox", params={"channel": "sms", "q": "offer &"})
    assert "asha@mail.example" not in first.text
    assert "1–50 of 120" in first.text
    assert "?channel=sms&amp;q=offer+%26&amp;page=2" in first.text.replace("%20", "+")
    last = browser.get("/outbox", params={"channel": "sms", "q": "offer &", "page": 3}).text
    assert "101–120 of 120" in last
    assert "+919800000000" in last
    assert 'rel="next"' not in last
    assert "Nothing matches" in browser.get("/outbox", params={"page": 9}).text


@pytest.mark.parametrize("view", ["", "?view=phone", "?view=text", "?view=headers"])
def test_nothing_of_a_message_becomes_part_of_the_page(
    browser: httpx.Client, evil: str, view: str
) -> None:
    for address in ("/outbox", f"/outbox?q={escape('<script>')}", f"/outbox/{evil}{view}"):
        page = browser.get(address)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "onerror" not in page.text


def test_the_html_is_framed_and_may_only_open_a_window(browser: httpx.Client, evil: str) -> None:
    page = browser.get(f"/outbox/{evil}").text
    assert (
        f'<iframe sandbox="{POPUPS}" title="The message as HTML" src="/outbox/{evil}/html"' in page
    )
    assert "Pictures from the internet are not loaded" in page
    framed = browser.get(f"/outbox/{evil}/html")
    policy = framed.headers["content-security-policy"]
    assert policy.startswith(f"sandbox {POPUPS}; default-src 'none'; ")
    assert "script-src" not in policy
    assert EVIL in framed.text


def test_the_raw_message_is_a_download(
    browser: httpx.Client, caught: CaughtMail, evil: str
) -> None:
    raw = browser.get(f"/outbox/{evil}/raw")
    assert raw.content == caught.raw(evil)
    assert raw.headers["content-type"] == "message/rfc822"
    assert raw.headers["content-disposition"] == f'attachment; filename="{evil}.eml"'


def test_a_text_message_is_a_bubble(browser: httpx.Client, caught: CaughtMail) -> None:
    key = caught.catch_sms(CaughtSms("LOTUS", "+919876543210", f"one\n{EVIL}", "SM1"))
    page = browser.get(f"/outbox/{key}").text
    assert '<p class="bubble" dir="auto">one\n&lt;script&gt;' in page
    assert browser.get(f"/outbox/{key}/html").status_code == 404


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/outbox", 200),
        ("/static/console.css", 200),
        ("/outbox/000000009-000000000000", 404),
        ("/outbox/..%2f..%2fetc%2fpasswd/raw", 404),
        ("/nowhere", 404),
        ("/outbox?page=0", 400),
        ("/outbox?channel=pigeon", 400),
    ],
)
def test_every_answer_is_guarded(browser: httpx.Client, address: str, status: int) -> None:
    answer = browser.get(address)
    assert answer.status_code == status
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'self';"
    )
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "detail" not in answer.text or address.endswith(".css")


def test_another_name_for_this_machine_is_refused(browser: httpx.Client, evil: str) -> None:
    answer = browser.get(f"/outbox/{evil}", headers={"Host": "attacker.example"})
    assert answer.status_code == 400
    assert "eve@mail.example" not in answer.text


def test_in_a_real_browser_no_script_runs_and_nobody_is_called(served: str, evil: str) -> None:
    chromium = shutil.which("chromium") or pytest.skip("needs chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = started.new_page(viewport={"width": 390, "height": 844})
        called: list[str] = []
        page.on("requestfinished", lambda request: called.append(request.url))
        page.goto(f"{served}/outbox/{evil}", wait_until="networkidle")
        assert "pwned" not in page.title().replace(EVIL, "")
        frame = page.frames[1]
        assert frame.locator("p").count() == 1
        assert "pwned" not in frame.title()
        assert called
        assert all(url.startswith(served) for url in called)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        with started.contexts[0].expect_page() as opened:
            frame.get_by_text("Leave").click()
        assert opened.value.evaluate("window.opener") is None
        assert page.url == f"{served}/outbox/{evil}"
        started.close()
