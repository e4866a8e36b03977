"""Why a touchpoint is where it is: each reason once, with the sentence `why` says."""

from enum import StrEnum


class Reason(StrEnum):
    """A reason's value is stored; its sentence is what people read."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> "Reason":
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    NO_ADDRESS = "no_address", "there is no address for this channel"
    OPTED_OUT = "opted_out", "the customer opted out"
    NO_CONSENT = "no_consent", "the customer has not agreed to be written to on this channel"
    SUPPRESSED_ADDRESS = "suppressed_address", "the address is on the suppression list"
    CAP = "cap", "the limit on messages to one person was reached"
    QUIET_HOURS = "quiet_hours", "it would have arrived in the quiet hours"
    SEND_WINDOW = "send_window", "it would have arrived outside the campaign's send window"
    CONDITION = "condition", "the step's condition did not hold"
    PAUSED = "paused", "the campaign's `pause_while` held until it was too late"
    CAME = "came", "what was waited for came"
    STEP_GONE = "step_gone", "the campaign moved on to a version without this step"
    JOINED_LATE = "joined_late", "its time had passed when the customer entered"
    ERASED = "erased", "the customer's data was erased"
    TOO_LATE = "too_late", "it was too late to be useful"
    EXITED = "exited", "an exit event ended the campaign for the customer"
    TEMPLATE = "template", "the template could not be rendered for this customer"
    NOT_REGISTERED = "not_registered", "it is not what is registered for it in India (DLT)"
    DLT_HOURS = "dlt_hours", "promotional text messages reach India from 10:00 to 21:00 only"
    BAD_ADDRESS = "bad_address", "the address cannot be written into a message safely"
    NO_CHANNEL = "no_channel", "club.yaml has no such channel"
    NOT_NOW = "not_now", "the server asked to try again later"
    NO_CONNECTION = "no_connection", "the server could not be reached"
    RATE_LIMIT = "rate_limit", "the sending limit was reached; it goes out shortly"
    REFUSED = "refused", "the server refused it for good"
    TOO_MANY_TRIES = "too_many_tries", "it was tried as often as is useful"
    NO_REPLY = "no_reply", "the connection broke after the message had been handed over"
    INTERRUPTED = "interrupted", "the program stopped while the message was being handed over"
    RESENT = "resent", "it was in doubt and was sent once more"
    RESOLVED = "resolved", "it was in doubt until somebody looked"
    ANCHOR_MOVED = "anchor_moved", "the date it counts from was moved"
    HARD_BOUNCE = "hard_bounce", "there is no such address"
    SOFT_BOUNCE = "soft_bounce", "it could not be delivered this time"
    MAILBOX_FULL = "mailbox_full", "the mailbox was full"
    BLOCKED = "blocked", "the receiving server refused the message, not the address"
    UNDELIVERED = "undelivered", "the text message did not reach the phone"


UNREACHED = (
    Reason.NO_ADDRESS,
    Reason.OPTED_OUT,
    Reason.NO_CONSENT,
    Reason.SUPPRESSED_ADDRESS,
    Reason.BAD_ADDRESS,
    Reason.REFUSED,
)
"""The channel is of no use for the customer; another one may be."""


def sentence_of(reason: str | None) -> str:
    """What people read for a stored reason; an empty text where there is none."""
    return next((one.sentence for one in Reason if one == reason), "")
