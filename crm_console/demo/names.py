"""Names of people of a club in India, each as its owner writes it and in Latin letters."""

from dataclasses import dataclass
from random import Random

Spelled = tuple[str, str]
"""A name in its own script, and in the letters of an e-mail address."""


@dataclass(frozen=True)
class Name:
    """A person's name: as written, and in Latin letters."""

    first: str
    last: str
    latin: str


def _latin(*names: str) -> tuple[Spelled, ...]:
    return tuple((name, name.lower()) for name in names)


# fmt: off
HINDI_FIRST: tuple[Spelled, ...] = (
    ("आशा", "asha"), ("प्रिया", "priya"), ("सुनीता", "sunita"), ("कविता", "kavita"),
    ("नेहा", "neha"), ("पूजा", "pooja"), ("रेखा", "rekha"), ("मीना", "meena"),
    ("अंजलि", "anjali"), ("दीपा", "deepa"), ("स्वाति", "swati"), ("गीता", "geeta"),
    ("राहुल", "rahul"), ("अमित", "amit"), ("विकास", "vikas"), ("संजय", "sanjay"),
    ("मनोज", "manoj"), ("राजेश", "rajesh"), ("अर्जुन", "arjun"), ("रोहित", "rohit"),
    ("सुरेश", "suresh"), ("अनिल", "anil"), ("दीपक", "deepak"), ("विजय", "vijay"),
)
HINDI_LAST: tuple[Spelled, ...] = (
    ("वर्मा", "verma"), ("शर्मा", "sharma"), ("गुप्ता", "gupta"), ("सिंह", "singh"),
    ("यादव", "yadav"), ("मिश्रा", "mishra"), ("पटेल", "patel"), ("जोशी", "joshi"),
    ("त्रिपाठी", "tripathi"), ("चौहान", "chauhan"), ("अग्रवाल", "agarwal"), ("मेहता", "mehta"),
    ("कुलकर्णी", "kulkarni"), ("देशमुख", "deshmukh"), ("पांडे", "pande"), ("सक्सेना", "saxena"),
)
ENGLISH_FIRST = _latin(
    "Anita", "Maria", "Sarah", "Leena", "Divya", "Shreya", "Ananya", "Farah", "Zoya", "Grace",
    "Nisha", "Tara", "Thomas", "John", "Karan", "Nikhil", "Varun", "Imran", "Joseph", "David",
    "Aditya", "Kabir", "Sameer", "Peter",
)
ENGLISH_LAST = _latin(
    "Fernandes", "Thomas", "Mathew", "Khan", "Reddy", "Nair", "Iyer", "Pinto", "Shaikh", "Rao",
    "Menon", "Bose", "Kapoor", "Malhotra", "Sen", "Cherian",
)
RUSSIAN_WOMEN: tuple[Spelled, ...] = (
    ("Анна", "anna"), ("Ольга", "olga"), ("Мария", "maria"), ("Елена", "elena"),
    ("Наталья", "natalya"), ("Ирина", "irina"), ("Татьяна", "tatyana"), ("Дарья", "darya"),
)
RUSSIAN_MEN: tuple[Spelled, ...] = (
    ("Иван", "ivan"), ("Пётр", "petr"), ("Алексей", "aleksei"), ("Дмитрий", "dmitry"),
    ("Сергей", "sergei"), ("Андрей", "andrei"), ("Николай", "nikolai"), ("Михаил", "mikhail"),
)
RUSSIAN_LAST: tuple[Spelled, ...] = (  # a man's; a woman's has an "а" more
    ("Смирнов", "smirnov"), ("Кузнецов", "kuznetsov"), ("Попов", "popov"),
    ("Соколов", "sokolov"), ("Лебедев", "lebedev"), ("Новиков", "novikov"),
    ("Морозов", "morozov"), ("Волков", "volkov"), ("Фёдоров", "fedorov"), ("Егоров", "egorov"),
)
# fmt: on


def name_in(language: str, chance: Random) -> Name:
    """A name of someone who is written to in `language`: en, hi or ru."""
    if language == "ru":
        return _russian(chance)
    firsts, lasts = (HINDI_FIRST, HINDI_LAST) if language == "hi" else (ENGLISH_FIRST, ENGLISH_LAST)
    first, last = chance.choice(firsts), chance.choice(lasts)
    return Name(first[0], last[0], f"{first[1]}.{last[1]}")


def _russian(chance: Random) -> Name:
    last, latin = chance.choice(RUSSIAN_LAST)
    if chance.random() < 0.5:
        first = chance.choice(RUSSIAN_WOMEN)
        return Name(first[0], f"{last}а", f"{first[1]}.{latin}a")
    first = chance.choice(RUSSIAN_MEN)
    return Name(first[0], last, f"{first[1]}.{latin}")
