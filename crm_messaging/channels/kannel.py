"""Text messages through Kannel's smsbox.

The request is a POST with Kannel's own headers (user guide, table 7-12): neither password nor
number stands in a URL, which servers like to log. Kannel answers with no id of the message;
it hands ours back with each delivery report.
"""

from urllib.parse import quote, urlencode

import httpx

from crm_messaging.channels.http_outcomes import refused
from crm_messaging.channels.sms_request import SmsOverHttp
from crm_messaging.channels.sms_settings import KannelSettings
from crm_messaging.message import Outcome, OutgoingSms, Receipt
from crm_messaging.sms_segments import count

REPORTS_PATH = "/hooks/kannel"
# Delivered, not delivered, buffered, and refused by the operator. 8, taken by the operator, is
# no news.
_REPORTED = str(1 + 2 + 4 + 16)
_FILLED_IN = "&to=%p&type=%d&at=%T&ref=%F&answer=%A"


def kannel_channel(settings: KannelSettings, public_url: str = "") -> SmsOverHttp:
    """The channel `sms` over one Kannel.

    Deliveries are reported to `status_callback`, else below `public_url`, once there is a
    `hook_secret` for them to prove themselves with.
    """
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "X-Kannel-Username": settings.username,
        "X-Kannel-Password": settings.password.get_secret_value() if settings.password else "",
    }
    if settings.smsc is not None:
        headers["X-Kannel-SMSC"] = settings.smsc
    reports = _reports_url(settings, public_url)
    url = str(settings.url)

    def request(message: OutgoingSms) -> httpx.Request:
        of_this = {
            "X-Kannel-To": message.recipient,
            "X-Kannel-From": message.dlt.header if message.dlt else settings.from_,
            "X-Kannel-Coding": "2" if count(message.body).encoding == "UCS-2" else "0",
        }
        if message.dlt is not None:
            of_this["X-Kannel-Meta-Data"] = "?smpp?" + urlencode(
                {"entity_id": message.dlt.entity, "template_id": message.dlt.template}
            )
        if reports:
            ours = quote(message.message_id.strip("<>"), safe="@")
            of_this["X-Kannel-DLR-Mask"] = _REPORTED
            of_this["X-Kannel-DLR-Url"] = f"{reports}&id={ours}{_FILLED_IN}"
        return httpx.Request("POST", url, headers=headers | of_this, content=message.body.encode())

    return SmsOverHttp(settings, request, _judge, secret=settings.password)


def _reports_url(settings: KannelSettings, public_url: str) -> str:
    if settings.hook_secret is None or not (settings.status_callback or public_url):
        return ""
    place = settings.status_callback or public_url + REPORTS_PATH
    return f"{place}?key={settings.hook_secret.get_secret_value()}"


def _judge(message: OutgoingSms, answer: httpx.Response) -> Receipt:
    if answer.is_success:
        # "0: Accepted for delivery" or "3: Queued for later delivery": Kannel has it in its store.
        return Receipt(message.touchpoint_id, Outcome.ACCEPTED)
    return refused(message, answer, answer.text[:300])
