"""Text messages through Twilio, or a provider that speaks its Messages.json."""

import httpx

from crm_messaging.channels.http_outcomes import accepted, refused, unreadable
from crm_messaging.channels.sms_request import SmsOverHttp
from crm_messaging.channels.sms_settings import TwilioSettings
from crm_messaging.message import OutgoingSms, Receipt


def twilio_channel(settings: TwilioSettings) -> SmsOverHttp:
    """The channel `sms` over one Twilio account."""
    base = str(settings.base_url).rstrip("/")
    url = f"{base}/2010-04-01/Accounts/{settings.account}/Messages.json"
    token = settings.token.get_secret_value() if settings.token else ""
    login = httpx.BasicAuth(settings.account, token)

    def request(message: OutgoingSms) -> httpx.Request:
        form = {"To": message.recipient, "From": settings.from_, "Body": message.body}
        if settings.status_callback is not None:
            form["StatusCallback"] = str(settings.status_callback)
        unsigned = httpx.Request("POST", url, data=form)
        return next(login.auth_flow(unsigned))

    return SmsOverHttp(settings, request, _judge)


def _judge(message: OutgoingSms, answer: httpx.Response) -> Receipt:
    told = _json_object(answer)
    if answer.is_success:
        sid = told.get("sid")
        return accepted(message, sid) if isinstance(sid, str) else unreadable(message, answer)
    code = f"{told['code']}: " if "code" in told else ""
    return refused(message, answer, f"{code}{told.get('message', answer.reason_phrase)}")


def _json_object(answer: httpx.Response) -> dict[str, object]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
