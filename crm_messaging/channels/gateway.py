"""Text messages through any HTTP gateway that club.yaml can describe."""

import re
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from crm_messaging.channels.http_outcomes import accepted, refused, unreadable
from crm_messaging.channels.sms_request import SmsOverHttp
from crm_messaging.channels.sms_settings import GatewaySettings
from crm_messaging.message import Outcome, OutgoingSms, Receipt

_PLACEHOLDER = re.compile(r"\{(to|text|from|id)\}")


def gateway_channel(settings: GatewaySettings) -> SmsOverHttp:
    """The channel `sms` over one HTTP gateway."""

    def request(message: OutgoingSms) -> httpx.Request:
        values = {
            "to": message.recipient,
            "text": message.body,
            "from": settings.from_,
            "id": message.message_id,
        }
        quoted = {name: quote(value, safe="") for name, value in values.items()}
        # Header values travel as Latin-1 at best; percent signs are safe anywhere.
        headers = {name: _filled(value, quoted) for name, value in settings.headers.items()}
        if settings.secret is not None:
            headers[settings.secret_header] = settings.secret.get_secret_value()
        url = httpx.URL(_filled(settings.url, quoted))
        return httpx.Request(
            settings.method,
            url.copy_merge_params(_filled_all(settings.query, values)),
            headers=headers,
            data=_filled_all(settings.form, values) if settings.form is not None else None,
            json=_filled_json(settings.body, values) if settings.body is not None else None,
        )

    def judge(message: OutgoingSms, answer: httpx.Response) -> Receipt:
        if answer.status_code not in settings.success:
            return refused(message, answer, answer.text[:300])
        if settings.message_id is None:
            return Receipt(message.touchpoint_id, Outcome.ACCEPTED)
        reference = _at_path(answer, settings.message_id)
        return accepted(message, reference) if reference else unreadable(message, answer)

    return SmsOverHttp(settings, request, judge)


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


def _at_path(answer: httpx.Response, path: str) -> str | None:
    try:
        node = answer.json()
    except ValueError:
        return None
    for name in path.split("."):
        if isinstance(node, dict):
            node = node.get(name)
        elif isinstance(node, list) and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
        else:
            return None
    return str(node) if isinstance(node, str | int) and not isinstance(node, bool) else None
