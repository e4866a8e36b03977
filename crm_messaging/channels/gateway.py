"""Text messages through any HTTP gateway that club.yaml can describe."""

import re
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from crm_messaging.channels.gateway_settings import PLACEHOLDERS, GatewaySettings, Reply
from crm_messaging.channels.http_outcomes import accepted, later, never, refused, unreadable
from crm_messaging.channels.sms_request import SmsOverHttp
from crm_messaging.json_path import text_at
from crm_messaging.message import Outcome, OutgoingSms, Receipt
from crm_messaging.sms_segments import count

_PLACEHOLDER = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")
_MOST_READ = 4096
"""Characters of an answer that are looked at: a gateway's answer is a line, not a page."""


def gateway_channel(settings: GatewaySettings, name: str = "sms") -> SmsOverHttp:
    """A channel over one HTTP gateway: `sms`, or a messenger by its name in club.yaml."""

    secret = settings.secret.get_secret_value() if settings.secret else ""
    in_header = {settings.secret_header: secret} if secret and not settings.places_secret else {}

    def request(message: OutgoingSms) -> httpx.Request:
        values = _values(message, settings) | {"secret": secret}
        quoted = {name: quote(value, safe="") for name, value in values.items()}
        # Header values travel as Latin-1 at best; percent signs are safe anywhere.
        headers = {name: _filled(value, quoted) for name, value in settings.headers.items()}
        url = httpx.URL(_filled(settings.url, quoted))
        return httpx.Request(
            settings.method,
            url.copy_merge_params(_filled_all(settings.query, values)),
            headers=headers | in_header,
            data=_filled_all(settings.form, values) if settings.form is not None else None,
            json=_filled_json(settings.body, values) if settings.body is not None else None,
        )

    def judge(message: OutgoingSms, answer: httpx.Response) -> Receipt:
        told = _json(answer)
        match next((one.means for one in settings.replies if _fits(one, answer, told)), None):
            case "later":
                return later(message, answer, answer.text[:300])
            case "never":
                return never(message, answer, answer.text[:300])
            case "accepted":
                return _accepted(settings, message, answer, told)
        if answer.status_code not in settings.success:
            return refused(message, answer, answer.text[:300])
        return _accepted(settings, message, answer, told)

    return SmsOverHttp(settings, request, judge, name, settings.secret)


def _values(message: OutgoingSms, settings: GatewaySettings) -> dict[str, str]:
    """What the placeholders stand for in this message."""
    dlt = message.dlt
    return {
        "to": message.recipient,
        "digits": message.recipient.removeprefix("+"),
        "text": message.body,
        "from": dlt.header if dlt else settings.from_,
        "id": message.message_id,
        "unicode": "1" if count(message.body).encoding == "UCS-2" else "0",
        "entity": dlt.entity if dlt else "",
        "template": dlt.template if dlt else "",
    }


def _fits(reply: Reply, answer: httpx.Response, told: object) -> bool:
    text = answer.text if reply.at is None else text_at(told, reply.at)
    return text is not None and re.search(reply.matches, text[:_MOST_READ]) is not None


def _accepted(
    settings: GatewaySettings, message: OutgoingSms, answer: httpx.Response, told: object
) -> Receipt:
    if settings.message_id is None and settings.message_id_pattern is None:
        return Receipt(message.touchpoint_id, Outcome.ACCEPTED)
    reference = text_at(told, settings.message_id)
    if not reference and settings.message_id_pattern is not None:
        found = re.search(settings.message_id_pattern, answer.text[:_MOST_READ])
        reference = found[1] if found else None
    return accepted(message, reference) if reference else unreadable(message, answer)


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with its placeholders replaced, once: a value that looks like one stays."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _filled_all(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    return {name: _filled(text, values) for name, text in texts.items()}


def _filled_json(node: object, values: Mapping[str, str]) -> object:
    match node:
        case str():
            return _filled(node, values)
        case dict():
            return {name: _filled_json(inner, values) for name, inner in node.items()}
        case list():
            return [_filled_json(inner, values) for inner in node]
        case _:
            return node
