"""The words of the pages that customers see, in each language that they are written in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One language. `{club}` is the club's name, `{what}` what it sends on a channel."""

    language: str
    what: Mapping[str, str]
    """What is sent on each channel, as it stands within a sentence."""
    by: Mapping[str, str]
    """The heading of each channel."""
    leave_title: str
    leave_text: str
    leave_button: str
    left_title: str
    left_text: str
    still_comes: str
    rather_choose: str
    changed_mind: str
    choose_title: str
    choose_text: str
    save: str
    nothing: str
    saved: str
    always: str
    closed_here: str
    confirm_title: str
    confirm_text: str
    confirm_button: str
    confirmed_title: str
    confirmed_text: str
    used_title: str
    used_text: str
    stale_title: str
    stale_text: str
    call_us: str

    def sent_by(self, channel: str) -> str:
        """What is sent on a channel, within a sentence."""
        return self.what.get(channel, self.what["message"])

    def heading(self, channel: str) -> str:
        """A channel's heading."""
        return self.by.get(channel, channel.capitalize())


ENGLISH = Words(
    language="en",
    what={"email": "e\u2011mails", "sms": "text messages", "message": "messages"},
    by={"email": "By e\u2011mail", "sms": "By text message"},
    leave_title="Unsubscribe?",
    leave_text="{club} will send you no more {what} with news, offers and reminders.",
    leave_button="Unsubscribe",
    left_title="You are unsubscribed",
    left_text=("From now on {club} will send you no more {what} with news, offers and reminders."),
    still_comes="What belongs to something you have booked or bought may still come.",
    rather_choose="Choose what you get instead",
    changed_mind="Changed your mind? Choose what you get",
    choose_title="What may we send you?",
    choose_text="Tick what you want. What is not ticked does not come.",
    save="Save",
    nothing="Send me none of this",
    saved="Saved. It holds from now on.",
    always="This always comes, because it belongs to what you have booked or bought:",
    closed_here="We do not write to you here any more.",
    confirm_title="May we write to you?",
    confirm_text=(
        "Yes, {club} may send me {what} with news, offers and reminders. I can end this at any"
        " time."
    ),
    confirm_button="Yes, I agree",
    confirmed_title="Thank you!",
    confirmed_text="It is confirmed. Each message has a link to end it.",
    used_title="You have answered already",
    used_text="Your latest answer holds. You can change it with the link in any message of ours.",
    stale_title="This link does not work",
    stale_text=(
        "It may be old, or a part of it is missing. Please use the link in a newer message of ours."
    ),
    call_us="Or call us:",
)

HINDI = Words(
    language="hi",
    what={"email": "ईमेल", "sms": "SMS", "message": "संदेश"},
    by={"email": "ईमेल से", "sms": "SMS से"},
    leave_title="ये संदेश बंद करें?",
    leave_text="{club} आपको समाचार, ऑफ़र और याद दिलाने वाले {what} अब नहीं भेजेगा।",
    leave_button="हाँ, बंद करें",
    left_title="संदेश बंद कर दिए गए",
    left_text="अब से {club} आपको समाचार, ऑफ़र और याद दिलाने वाले {what} नहीं भेजेगा।",
    still_comes="आपकी बुकिंग या ख़रीदारी से जुड़े संदेश फिर भी आ सकते हैं।",
    rather_choose="इसके बजाय चुनें कि आपको क्या मिले",
    changed_mind="मन बदल गया? चुनें कि आपको क्या मिले",
    choose_title="हम आपको क्या भेजें?",
    choose_text="जो चाहिए, उस पर निशान लगाएँ। जिस पर निशान नहीं है, वह नहीं आएगा।",
    save="सहेजें",
    nothing="इनमें से कुछ न भेजें",
    saved="सहेज लिया गया। यह अभी से लागू है।",
    always="यह हमेशा आता है, क्योंकि यह आपकी बुकिंग या ख़रीदारी से जुड़ा है:",
    closed_here="हम अब आपको यहाँ नहीं लिखते।",
    confirm_title="क्या हम आपको लिख सकते हैं?",
    confirm_text=(
        "हाँ, {club} मुझे समाचार, ऑफ़र और याद दिलाने वाले {what} भेज सकता है। इसे कभी भी बंद किया जा सकता है।"
    ),
    confirm_button="हाँ, मैं सहमत हूँ",
    confirmed_title="धन्यवाद!",
    confirmed_text="पुष्टि हो गई। हर संदेश में इसे बंद करने का लिंक होता है।",
    used_title="आप पहले ही उत्तर दे चुके हैं",
    used_text="आपका सबसे नया उत्तर मान्य है। हमारे किसी भी संदेश के लिंक से आप इसे बदल सकते हैं।",
    stale_title="यह लिंक काम नहीं करता",
    stale_text="शायद यह पुराना है, या इसका कोई हिस्सा छूट गया है। कृपया हमारे किसी नए संदेश का लिंक खोलें।",
    call_us="या हमें फ़ोन करें:",
)

RUSSIAN = Words(
    language="ru",
    what={"email": "писем", "sms": "SMS", "message": "сообщений"},
    by={"email": "По электронной почте", "sms": "В SMS"},
    leave_title="Отписаться?",
    leave_text="{club} больше не пришлёт вам {what} с новостями, предложениями и напоминаниями.",
    leave_button="Отписаться",
    left_title="Вы отписаны",
    left_text=(
        "С этого момента {club} не пришлёт вам {what} с новостями, предложениями и напоминаниями."
    ),
    still_comes="Сообщения о ваших записях и покупках по-прежнему могут приходить.",
    rather_choose="Лучше выбрать, что получать",
    changed_mind="Передумали? Выберите, что получать",
    choose_title="Что вам присылать?",
    choose_text="Отметьте то, что вам нужно. Неотмеченное приходить не будет.",
    save="Сохранить",
    nothing="Ничего из этого не присылать",
    saved="Сохранено. Это действует уже сейчас.",
    always="Это приходит всегда, потому что связано с вашими записями и покупками:",
    closed_here="Сюда мы вам больше не пишем.",
    confirm_title="Можно вам писать?",
    confirm_text=(
        "Да, я согласен (согласна) получать от {club} сообщения с новостями, предложениями и"
        " напоминаниями. Отказаться можно в любой момент."
    ),
    confirm_button="Да, согласен (согласна)",
    confirmed_title="Спасибо!",
    confirmed_text="Согласие подтверждено. Отказаться можно по ссылке в любом сообщении.",
    used_title="Вы уже ответили",
    used_text="Действует ваш последний ответ. Изменить его можно по ссылке в нашем сообщении.",
    stale_title="Ссылка не работает",
    stale_text=(
        "Возможно, она устарела или скопирована не полностью. Откройте ссылку из более нового"
        " нашего сообщения."
    ),
    call_us="Или позвоните нам:",
)

_ALL = {one.language: one for one in (ENGLISH, HINDI, RUSSIAN)}


def words_in(languages: Iterable[str | None]) -> Words:
    """The words of the first of the languages that there are words in; else English."""
    for language in languages:
        primary = (language or "").replace("_", "-").split("-")[0].lower()
        if primary in _ALL:
            return _ALL[primary]
    return ENGLISH
