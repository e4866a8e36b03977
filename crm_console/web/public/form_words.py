"""The words of the hosted lead form, in each language that it is written in."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FormWords:
    """One language."""

    labels: Mapping[str, str]
    """By the customer's column."""
    button: str
    thanks_title: str
    thanks_text: str
    missing: str
    """What stands above the form when something required is empty."""


FORM_WORDS: Mapping[str, FormWords] = {
    "en": FormWords(
        labels={
            "first_name": "First name",
            "last_name": "Last name",
            "email": "E-mail",
            "phone": "Phone",
            "birth_date": "Date of birth",
        },
        button="Send",
        thanks_title="Thank you",
        thanks_text="We have it, and will be in touch.",
        missing="Please fill in what is marked.",
    ),
    "hi": FormWords(
        labels={
            "first_name": "नाम",
            "last_name": "उपनाम",
            "email": "ई-मेल",
            "phone": "फ़ोन",
            "birth_date": "जन्म तिथि",
        },
        button="भेजें",
        thanks_title="धन्यवाद",
        thanks_text="आपकी जानकारी मिल गई है। हम जल्द ही संपर्क करेंगे।",
        missing="कृपया चिह्नित जानकारी भरें।",
    ),
    "ru": FormWords(
        labels={
            "first_name": "Имя",
            "last_name": "Фамилия",
            "email": "Эл. почта",
            "phone": "Телефон",
            "birth_date": "Дата рождения",
        },
        button="Отправить",
        thanks_title="Спасибо",
        thanks_text="Мы получили ваши данные и скоро свяжемся с вами.",
        missing="Пожалуйста, заполните отмеченные поля.",
    ),
}
