"""What an answer to a text message asks for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_messaging.reply_words import WORDS, Wish, wish_of

STOP, START, HELP = Wish.STOP, Wish.START, Wish.HELP

FCC = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"]
TWILIO = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"]
AWS = ["ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE"]


@pytest.mark.parametrize(
    "word", [*FCC, *TWILIO, *AWS, "रोकें", "बंद", "СТОП", "ОТПИСАТЬСЯ", "ОТПИСКА"]
)
def test_the_words_that_are_asked_for(word: str) -> None:
    assert wish_of(word) is STOP


@pytest.mark.parametrize("word", ["START", "YES", "UNSTOP", "शुरू", "СТАРТ", "подписаться"])
def test_in_again(word: str) -> None:
    assert wish_of(word) is START


@pytest.mark.parametrize("word", ["HELP", "Info", "मदद", "ПОМОЩЬ", "help!", "Help please"])
def test_help(word: str) -> None:
    assert wish_of(word) is HELP


@pytest.mark.parametrize(("wish", "phrase"), [(w, p) for w, all_ in WORDS.items() for p in all_])
def test_every_word_of_the_table_however_it_is_written(wish: Wish, phrase: str) -> None:
    for written in (
        phrase, phrase.upper(), phrase.title(), f"  {phrase}\r\n", f"{phrase}.", f"{phrase}!!!",
        f"“{phrase}”", f"'{phrase}'", phrase.replace(" ", "-"), phrase.replace(" ", "  "),
        f"\u200b{phrase}\ufeff", f"{phrase} 🙏", f"Please {phrase}", f"{phrase}, thanks",
        f"{phrase} {phrase}",
    ):  # fmt: skip
        assert wish_of(written) is wish, written


FREELY = [
    "S.T.O.P", "s t o p", "ＳＴＯＰ", "Stop!!! please", "stop it", "I want to opt out",
    "Please stop texting me", "stop sending me these messages", "Don't text me anymore",
    "dont message me again", "do not contact me", "No more texts please", "don’t send me this",
    "Remove me from your list", "take me off this list", "please unsubscribe me from this",
    "leave me alone", "Wrong number", "I no longer want these messages",
    "Yes, stop", "да, отпишите меня", "never text me", "Cancel all these offers",
    "मैसेज मत भेजो", "मुझे मैसेज मत भेजिए", "कृपया मैसेज बंद करें", "message band karo", "msg mat bhejo",
    "Не пишите мне больше", "больше не присылайте мне смс", "отпишите меня от рассылки",
    "хватит слать мне сообщения", "Удалите мой номер", "прекратите спам",
    "Отпишите меня пожалуйста", "не присылайте", "перестаньте мне писать",
]  # fmt: skip


@pytest.mark.parametrize("text", FREELY)
def test_a_wish_in_her_own_words(text: str) -> None:
    assert wish_of(text) is STOP


ABOUT_SOMETHING_ELSE = [
    "", "   ", "👍", "ok", "Thanks!", "Please", "no", "нет", "нет спасибо", "hi",
    "да", "да спасибо",
    "See you at the end of the week", "When does the offer end?", "is the pool closed",
    "Can you cancel my class on Friday", "I can't stop coming, love it", "Where is the bus stop?",
    "The stop button of the treadmill is broken", "Please remove the weights",
    "Yes I will come at six", "info about yoga please and what it costs",
    "I did not get the message", "I don't see your message", "Didn't receive any sms",
    "Did you not send me the plan?", "Don't send you anything? I paid!",
    "Will you send me the plan", "quit smoking programme?",
    "Stop by the gym tomorrow and bring the towel that I left there last week",
    "क्या क्लास बंद है", "आज जिम बंद है क्या", "मैसेज नहीं आया", "message nahi aaya",
    "Завтра отмена тренировки?", "не приду завтра", "хватит ли мест?", "смс не пришло",
    "не могу прийти, перенесите", "я не получила сообщение",
]  # fmt: skip


@pytest.mark.parametrize("text", ABOUT_SOMETHING_ELSE)
def test_a_text_about_something_else_is_no_wish(text: str) -> None:
    assert wish_of(text) is None


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    assert wish_of(text) in (None, *Wish)


def test_a_long_text_is_read_quickly() -> None:
    assert wish_of("stop " * 100_000) is None
