"""A form on a page of our own: whatever somebody, or something, writes into it."""

from lead_reception import Reception
from making import make_consent, make_customer, rows_of

from crm_store.models.consent import Consent
from crm_store.models.inbox import InboundMessage


async def test_our_own_page_takes_a_lead_and_her_consent(reception: Reception) -> None:
    page = await reception.client.get("/in/trial-signup?utm_source=insta")
    assert page.status_code == 200
    assert "A free trial" in page.text
    assert "I want the club&#39;s news." in page.text
    assert 'value="insta"' in page.text
    given = {
        "first_name": "Asha", "phone": "98765 43210", "email": "", "consent": "yes",
        "utm_source": "insta", "shown_at": "2026-11-22T05:00:00", "website": "",
    }  # fmt: skip
    for _ in range(2):
        answer = await reception.client.post("/in/trial-signup", data=given)
        assert answer.status_code == 200
        assert "Thank you" in answer.text
    await reception.read()
    assert reception.customers("first_name", "phone") == [("Asha", "+919876543210")]
    assert reception.events() == ["lead_created", "form_submitted"]
    assert rows_of(reception.club.store, Consent, "channel", "topic", "granted", "proof") == [
        ("email", "news", True, "I want the club's news."),
        ("sms", "news", True, "I want the club's news."),
    ]


async def test_our_own_page_says_what_is_missing_and_keeps_the_rest(
    reception: Reception,
) -> None:
    answer = await reception.client.post(
        "/in/trial-signup", data={"first_name": "<b>Asha</b>", "phone": " "}
    )
    assert answer.status_code == 422
    assert "Please fill in what is marked." in answer.text
    assert 'value="&lt;b&gt;Asha&lt;/b&gt;"' in answer.text
    assert rows_of(reception.club.store, InboundMessage) == []


async def test_a_machine_that_fills_in_everything_leaves_nothing(reception: Reception) -> None:
    given = {"first_name": "x", "phone": "98765 43210", "website": "http://spam.example"}
    answer = await reception.client.post("/in/trial-signup", data=given)
    assert (answer.status_code, "Thank you" in answer.text) == (200, True)
    assert rows_of(reception.club.store, InboundMessage) == []


async def test_who_fills_it_in_again_and_again_is_slowed_down_alone(reception: Reception) -> None:
    """Each time the club might write to somebody who never asked for it."""
    given = {"first_name": "Asha", "phone": "98765 43210"}

    async def post(number: int, **headers: str) -> int:
        data = given | {"shown_at": str(number)}
        answer = await reception.client.post("/in/trial-signup", data=data, headers=headers)
        return answer.status_code

    assert [await post(number) for number in range(32)] == [200] * 30 + [429] * 2
    assert await post(99, **{"X-Forwarded-For": "192.0.2.1"}) == 200
    assert len(rows_of(reception.club.store, InboundMessage)) == 31


async def test_a_person_may_write_anything(reception: Reception) -> None:
    """And what she writes neither gets lost nor gets in the way of others."""
    given = (
        b"first_name=A%00%ED%A0%80%E2%80%AEb&phone=98765+43210&consent=yes&email=x%00%40y.example"
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await reception.client.post("/in/trial-signup", content=given, headers=form)
    assert answer.status_code == 200
    await reception.read()
    [(name, phone)] = reception.customers("first_name", "phone")
    assert phone == "+919876543210"
    assert (name[0], name[-1]) == ("A", "b")
    assert set(name[1:-1]) == {"\ufffd"}
    assert reception.events() == ["lead_created", "form_submitted"]


async def test_a_form_gives_back_nothing_that_was_refused(reception: Reception) -> None:
    known = make_customer(reception.club.store, phone="+919876543210")
    make_consent(reception.club.store, known, channel="sms", topic="news")
    await reception.client.post(
        "/in/trial-signup", data={"first_name": "A", "phone": "9876543210", "consent": "yes"}
    )
    await reception.read()
    answers = set(rows_of(reception.club.store, Consent, "channel", "granted"))
    assert answers == {("sms", False), ("email", True)}
