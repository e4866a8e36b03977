"""Reading what providers of e-mail have posted to `/hooks/…`."""

from collections.abc import Sequence

import httpx

from crm_messaging.feedback import Feedback
from crm_messaging.webhooks import ses
from crm_messaging.webhooks.posted import Malformed, Posted
from crm_messaging.webhooks.providers import Provider
from crm_store.inbox import Taken
from flows.engine import Engine
from flows.feedback import apply_feedback
from flows.reading import NotYet, Reader, Reading, Unreadable

PATIENCE_S = 10.0


def report_reader(provider: Provider) -> Reader:
    """Reads the reports of one provider."""

    def facts(message: Taken) -> Sequence[Feedback]:
        try:
            return provider.read(Posted(message.body, message.headers))
        except Malformed as error:
            raise Unreadable(error.reason, error.instruction) from error

    def apply(reading: Reading, message: Taken) -> NotYet | None:
        return apply_feedback(reading, message, facts(message))

    return Reader(apply, confirm_subscription if provider.name == "ses" else None, facts)


async def confirm_subscription(_engine: Engine, message: Taken) -> Taken:
    """Visit the address that lets an SNS topic of the club send here, if the message is that."""
    try:
        url = ses.subscribe_url(Posted(message.body, message.headers))
    except Malformed as error:
        raise Unreadable(error.reason, error.instruction) from error
    if url is not None:
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            answer = await client.get(url)
        if not answer.is_success:
            raise NotYet(f"Amazon SNS answered the confirmation with HTTP {answer.status_code}.")
    return message
