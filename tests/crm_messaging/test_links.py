"""Signed links: what was ours is known again; what was changed, borrowed or guessed is not."""

import string
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import KEYS, NOW, SECRET

from crm_messaging.links import LASTS, BadToken, Click, Expired, Holder, Links, Purpose
from crm_store.columns import LARGEST_ID
from crm_store.keys import KeyRing

LINKS = Links(KEYS)
NEW_KEY = "a new key of which no message knows yet"
ASHA = Holder(812, LINKS.address_hash("email", "asha@example.org"))
IDS = st.integers(0, LARGEST_ID)
TOO_LARGE = st.integers(LARGEST_ID + 1, 2**40 - 1)
LETTERS = set(string.ascii_letters + string.digits + "-_")


@given(IDS, st.binary(min_size=10, max_size=10), st.sampled_from(Purpose))
def test_a_token_says_whom_it_was_made_for(number: int, hashed: bytes, purpose: Purpose) -> None:
    holder = Holder(number, hashed)
    token = LINKS.token(purpose, holder, NOW)
    assert LINKS.read(purpose, token, NOW) == holder
    assert set(token) <= LETTERS
    assert len(token) == 34
    assert token[-1].isalnum()  # what ends in - or _ may be cut off on the way


@given(IDS, IDS)
def test_the_other_tokens(one: int, another: int) -> None:
    click = Click(one, another)
    token = LINKS.click(*click)
    assert LINKS.read_click(token) == click
    assert (set(token) <= LETTERS, len(token), token[-1].isalnum()) == (True, 26, True)
    for make, read in (
        (LINKS.return_token, LINKS.read_return),
        (LINKS.leave_token, LINKS.read_leave),
    ):
        assert read(make(one)) == read(make(one).upper()) == one
        assert len(make(one)) == 26


@given(TOO_LARGE, st.sampled_from(Purpose))
def test_what_no_row_can_have_was_never_ours(number: int, purpose: Purpose) -> None:
    assert refused(LINKS.token(purpose, Holder(number, ASHA.address_hash), NOW), purpose)
    for read, token in (
        (LINKS.read_click, LINKS.click(number, 812)),
        (LINKS.read_click, LINKS.click(3, number)),
        (LINKS.read_return, LINKS.return_token(number)),
        (LINKS.read_leave, LINKS.leave_token(number)),
    ):
        with pytest.raises(BadToken):
            read(token)


def refused(token: str, purpose: Purpose) -> bool:
    try:
        LINKS.read(purpose, token, NOW)
    except BadToken:
        return True
    return False


@given(st.data())
def test_one_letter_changed_is_a_forgery(data: st.DataObject) -> None:
    purpose = data.draw(st.sampled_from(Purpose))
    token = LINKS.token(purpose, ASHA, NOW)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(sorted(LETTERS - {token[at]})))
    assert refused(token[:at] + letter + token[at + 1 :], purpose)


@given(st.text(max_size=60))
def test_any_text_is_refused_in_the_same_way(text: str) -> None:
    assert all(refused(text, purpose) for purpose in Purpose)
    for read in (LINKS.read_click, LINKS.read_return, LINKS.read_leave):
        with pytest.raises(BadToken):
            read(text)


@pytest.mark.parametrize("made_for", Purpose)
@pytest.mark.parametrize("used_for", Purpose)
def test_a_token_serves_its_purpose_alone(made_for: Purpose, used_for: Purpose) -> None:
    token = LINKS.token(made_for, ASHA, NOW)
    assert refused(token, used_for) == (made_for is not used_for)


def test_a_return_path_unsubscribes_nobody() -> None:
    with pytest.raises(BadToken):
        LINKS.read_leave(LINKS.return_token(812))


def test_another_installations_tokens_are_refused() -> None:
    token = Links(KeyRing(NEW_KEY)).token(Purpose.UNSUBSCRIBE, ASHA, NOW)
    assert refused(token, Purpose.UNSUBSCRIBE)


def test_links_survive_a_change_of_the_key() -> None:
    rotated = Links(KeyRing(NEW_KEY, [SECRET]))
    for purpose in Purpose:
        old = LINKS.token(purpose, ASHA, NOW)
        assert rotated.read(purpose, old, NOW) == ASHA
        assert rotated.token(purpose, ASHA, NOW) != old
    assert rotated.read_return(LINKS.return_token(812)) == 812
    assert rotated.read_click(LINKS.click(3, 812)) == Click(3, 812)


@pytest.mark.parametrize("purpose", Purpose)
def test_how_long_a_link_lasts(purpose: Purpose) -> None:
    token, lasts = LINKS.token(purpose, ASHA, NOW), LASTS[purpose]
    if lasts is None:
        assert LINKS.read(purpose, token, NOW + timedelta(days=36500)) == ASHA
        return
    assert LINKS.read(purpose, token, NOW + lasts) == ASHA
    with pytest.raises(Expired):
        LINKS.read(purpose, token, NOW + lasts + timedelta(days=1))


def test_a_token_tells_nothing_of_the_address() -> None:
    """Without the key the hash of a known address cannot be made: nobody can look for hers."""
    same = Links(KeyRing(NEW_KEY)).address_hash("email", "asha@example.org")
    assert same != ASHA.address_hash
    assert LINKS.address_hash("sms", "asha@example.org") != ASHA.address_hash
