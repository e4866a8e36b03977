"""What a customer wants who answers a text message: out, in again, or help.

The words are those of the FCC (47 CFR 64.1200(a)(10): stop, quit, end, revoke, opt out, cancel,
unsubscribe), of Twilio and of AWS, and their like in Hindi and Russian. A message that is such a
word, however it is written, is a wish; so is a short one that says it freely ("please don't text
me any more"), for the FCC lets anybody opt out "in any reasonable manner". A longer text that
only holds such a word is none: "can you cancel my class on Friday".
"""

import re
import unicodedata
from enum import StrEnum


class Wish(StrEnum):
    """What an answer asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


WORDS: dict[Wish, tuple[str, ...]] = {
    Wish.STOP: (
        # FCC, Twilio, AWS
        "stop", "stop all", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe",
        "remove", "td", "arret", "arrete", "arrett",
        # their slips and kin
        "stopp", "stpo", "sotp", "unsub", "unsubcribe", "unsuscribe", "remove me", "opt me out",
        "unsubscribe me", "dnd", "no more",
        # Hindi, in Devanagari and in Latin letters
        "रोकें", "रोको", "रोक दो", "रोक दें", "रोकिए", "रोकिये", "बंद", "बन्द", "बंद करें", "बन्द करें",
        "बंद करो", "बन्द करो", "बंद कर दो", "बंद कर दें", "बंद कीजिए", "बंद कीजिये", "स्टॉप", "हटाएं", "हटाएँ",
        "हटाओ", "मत भेजो", "मत भेजें", "मत भेजिए", "नहीं चाहिए", "सदस्यता समाप्त करें",
        "roko", "band", "band karo", "band kar do", "band kare", "band karen", "band kijiye",
        "mat bhejo", "nahi chahiye",
        # Russian
        "стоп", "стопп", "отписаться", "отписка", "отпишите", "отписать", "отпишите меня",
        "отпиши", "отпиши меня", "отмена", "отменить", "отказ", "отказаться", "отказываюсь",
        "прекратить", "прекратите", "хватит", "удалить", "удалите", "удалите меня", "не надо",
        "не пишите", "не писать", "не присылайте", "не присылать", "stop рассылка",
        "стоп рассылка",
    ),
    Wish.START: (
        "start", "unstop", "yes", "subscribe", "opt in", "resume",
        "शुरू", "शुरू करें", "शुरू करो", "चालू", "चालू करें", "चालू करो", "shuru", "shuru karo",
        "старт", "подписаться", "подписка", "возобновить",
    ),
    Wish.HELP: (
        "help", "info", "aide", "मदद", "सहायता", "जानकारी", "madad", "помощь", "инфо", "справка",
    ),
}  # fmt: skip
"""Declared once: the pages and the tests come from here."""

# Said beside the word, they change nothing about it.
_COURTESY = frozenset((
    "please", "pls", "plz", "thanks", "thank", "you", "thx", "now", "immediately", "kindly", "hi",
    "hello", "hey", "ok", "sir", "madam", "i", "want", "to", "it", "all", "this", "just",
    "कृपया", "प्लीज़", "प्लीज", "धन्यवाद", "अब", "अभी", "सब", "यह", "ये", "इसे", "kripya", "ab", "abhi",
    "пожалуйста", "плиз", "спасибо", "сейчас", "уже", "все", "всё", "это", "немедленно", "прошу",
))  # fmt: skip
_ASSENT = frozenset(("yes", "yeah", "да", "हाँ", "हां", "haan"))
"""`Yes, stop` is a stop."""
_MOST_WORDS = 14
"""A reasonable person who writes more than that says more than "stop"."""

# A wish in a customer's own words: no more of it, said of messages. "I did not get the message" is
# none, nor is "when does the offer end".
_VERB = r"(?:text|messag(?:e|ing)|msg|sms|spam|contact|writ(?:e|ing)|bother|mail|send)"
_NOUN = r"(?:texts?|texting|messag(?:es?|ing)|msgs?|sms|spam(?:ming)?|contacting|writing|sending)"
_FREELY = re.compile(
    "|".join((
        rf"\b(?:stop|quit|cease|cancel|no more)(?: \w+){{0,4}} (?:{_NOUN}|promo\w*|ads|offers)\b",
        rf"\b(?:don'?t|do not|never|not to)(?: (?:please|ever|you))? {_VERB}\b(?! you)",
        r"\b(?:remove|delete|take) (?:me|my (?:number|phone|name))\b",
        r"\b(?:unsubscribe|opt)(?: me)? (?:from|out)\b",
        r"\b(?:want|wish|like) to (?:unsubscribe|opt out|stop receiving)\b",
        r"\bleave me alone\b",
        r"\bwrong (?:number|person)\b",
        rf"\b(?:don'?t|do not|no longer) (?:want|wish)(?: \w+){{0,3}} {_NOUN}\b",
        r"(?:मैसेज|मेसेज|संदेश|एसएमएस|sms|message|msg)(?: \S+){0,2} (?:मत|बंद|बन्द|रोक\S*|न भेज\S*)",
        r"\b(?:message|msg|sms)s?(?: \w+){0,2} (?:mat|band|roko)\b",
        r"(?:не|перестаньте|прекратите|хватит)(?: мне| нам| больше| это){0,3} "
        r"(?:пишите|писать|присыла\w+|слать|шлите|отправля\w+|беспокоить|беспокойте|рассыл\w+|спам\w*)",
        r"(?:отпишите|удалите|уберите|исключите)(?: \w+){0,3} (?:меня|номер|рассылк\w+)",
        r"(?:отписаться|отказ\w*)(?: \w+){0,3} (?:рассыл\w+|смс|сообщени\w+)",
    ))
)  # fmt: skip


def wish_of(text: str) -> Wish | None:
    """What the whole of an incoming message asks for; `None` if it is about something else."""
    words = _words(text)
    if not words or len(words) > _MOST_WORDS:
        return None
    plain = [word for word in words if word not in _COURTESY]
    firm = [word for word in plain if word not in _ASSENT]
    # A wish to be left alone is grave: it is looked for first.
    for wish, said in ((Wish.STOP, firm), (Wish.START, plain), (Wish.HELP, plain)):
        if _is_made_of(words, _SPELT[wish]) or _is_made_of(said, _SPELT[wish]):
            return wish
    return Wish.STOP if _FREELY.search(" ".join(words)) else None


def _words(text: str) -> list[str]:
    """In small letters, without punctuation and pictures: `“S.T.O.P!”` is one word again."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    marked = "".join(
        char if unicodedata.category(char)[0] in "LMN" or char == "'" else " "
        for char in plain
        if unicodedata.category(char) != "Cf"
    )
    words = [word.strip("'") for word in marked.split()]
    words = [unicodedata.normalize("NFC", word) for word in words if word]
    # Letter by letter is one word.
    return ["".join(words)] if words and all(len(word) == 1 for word in words) else words


def _is_made_of(words: list[str], spelt: frozenset[str]) -> bool:
    """Whether the words are one of the table's, or several: `stop stop`, `opt-out`, `stop all`."""
    ends = {0}
    for start in range(len(words)):
        if start in ends:
            for end in range(start + 1, min(start + 4, len(words)) + 1):
                if "".join(words[start:end]) in spelt:
                    ends.add(end)
    return bool(words) and len(words) in ends


_SPELT: dict[Wish, frozenset[str]] = {
    wish: frozenset("".join(_words(phrase)) for phrase in phrases)
    for wish, phrases in WORDS.items()
}
