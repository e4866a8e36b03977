"""Text messages through Twilio, or a provider that speaks its Messages.json."""

from base64 import b64encode

import httpx

from crm_messaging.channels.http_outcomes import accepted, refused, unreadable
from crm_messaging.channels.sms_request import SmsOverHttp
from crm_messaging.channels.sms_settings import TwilioSettings
from crm_messaging.message import OutgoingSms, Receipt

REPORTS_PATH = "/hooks/twilio"


def twilio_channel(
    settings: TwilioSettings, public_url: str = "", name: str = "sms"
) -> SmsOverHttp:
    """The channel `sms` over one Twilio account, or what stands for another in a rehearsal.

    Deliveries are reported to `status_callback`, else below `public_url` if that is HTTPS: Twilio
    refuses a message whose callback it cannot reach.
    """
    base = str(settings.base_url).rstrip("/")
    url = f"{base}/2010-04-01/Accounts/{settings.account}/Messages.json"
    token = settings.token.get_secret_value() if settings.token else ""
    login = b64encode(f"{settings.account}:{token}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"}
    callback = {}
    if settings.status_callback is not None:
        callback["StatusCallback"] = str(settings.status_callback)
    elif public_url.startswith("https://"):
        callback["StatusCallback"] = public_url + REPORTS_PATH

    def request(message: OutgoingSms) -> httpx.Request:
        sender = message.dlt.header if message.dlt else settings.from_
        form = {"To": message.recipient, "From": sender, "Body": message.body}
        return httpx.Request("POST", url, headers=headers, data=form | callback)

    return SmsOverHttp(settings, request, _judge, name, settings.token)


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
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
