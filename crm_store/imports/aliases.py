"""What other programs call our columns. Case, spaces, dashes and underscores don't count.

Where several headings of a file fit one column, the order here says which cell counts first.
"""

# fmt: off
CUSTOMERS: dict[str, tuple[str, ...]] = {
    "ref": (
        "reference", "customer ref", "customer id", "member id", "member no", "member number",
        "client id", "record id", "contact id", "lead id", "person id", "id",
        "код клиента", "номер клиента",
    ),
    "first_name": ("given name", "forename", "имя", "नाम"),
    "last_name": ("surname", "family name", "фамилия", "उपनाम"),
    "email": (
        "email address", "email id", "mail", "mail id", "электронная почта", "почта",
        "рабочий e-mail", "частный e-mail", "ईमेल",
    ),
    "phone": (
        # A mobile number first: the other one may be a landline that takes no SMS.
        "mobile", "mobile phone", "mobile phone number", "mobile number", "mobile no", "cell phone",
        "phone", "phone number", "phone no", "contact number", "contact no",
        "мобильный телефон", "телефон", "номер телефона", "рабочий телефон",
        "मोबाइल", "फ़ोन",
    ),
    "birth_date": ("date of birth", "birthday", "dob", "дата рождения", "जन्म तिथि"),
    "joined_on": ("join date", "joined", "joining date", "member since", "дата вступления"),
    "language": ("preferred language", "lang", "язык", "भाषा"),
    "timezone": ("часовой пояс",),
    "pipeline": ("воронка",),
    "stage": ("lead status", "deal stage", "стадия", "этап", "этап сделки"),
    "source": ("lead source", "original source", "источник"),
    "tags": ("tag", "labels", "label", "теги", "тег"),
}
PERMISSION: dict[str, tuple[str, ...]] = {
    "email_opt_out": (
        "has opted out of email", "opted out of email", "unsubscribed from all email",
        "unsubscribed", "отписан", "отписался", "отказ от рассылки", "отказ от рассылок",
        "не слать рассылку", "не отправлять рассылку",
    ),
    "sms_opt_out": ("has opted out of sms", "opted out of sms", "отказ от sms"),
    "email_consent": ("email opt in", "согласие на рассылку"),
    "sms_consent": ("sms opt in", "согласие на sms"),
    "do_not_contact": ("do not disturb", "dnd", "dnc", "не беспокоить"),
}
WHOSE: dict[str, tuple[str, ...]] = {
    "customer": (
        "customer ref", "customer id", "client id", "member id", "member no", "member number",
        "contact id",
        "код клиента", "номер клиента",
    ),
    "email": CUSTOMERS["email"],
    "phone": CUSTOMERS["phone"],
}
MEMBERSHIPS: dict[str, tuple[str, ...]] = {
    "ref": (
        "membership id", "membership no", "contract", "contract no", "договор", "номер договора",
        "номер абонемента",
    ),
    "plan": ("membership plan", "тариф", "абонемент"),
    "starts_on": ("start date", "start", "from", "дата начала"),
    "ends_on": (
        "end date", "end", "to", "expiry date", "expires on", "valid until", "дата окончания",
    ),
    "auto_renew": ("auto renewal", "автопродление"),
    "status": ("membership status", "статус"),
}
VISITS: dict[str, tuple[str, ...]] = {
    "visited_at": ("visit time", "check in", "check in time", "date", "дата", "время визита"),
}
PURCHASES: dict[str, tuple[str, ...]] = {
    "ref": (
        "invoice", "invoice no", "receipt", "receipt no", "order id", "order no", "чек",
        "номер заказа",
    ),
    "item": ("product", "description", "товар"),
    "amount": ("total", "price", "amount paid", "sum", "сумма"),
    "purchased_at": ("purchased on", "invoice date", "order date", "date", "дата"),
}
