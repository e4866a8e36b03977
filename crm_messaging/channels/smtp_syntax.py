"""What an e-mail looks like inside SMTP: its envelope's commands, its body's bytes."""

import re
from email import message_from_bytes, policy

from crm_messaging.message import Letter, OutgoingEmail

_ENVELOPE_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_BARE_LINE_END = re.compile(rb"\r\n|\r|\n")


def on_the_wire(letter: Letter) -> bytes:
    """The message as DATA wants it: CRLF line ends, leading dots doubled, the final dot.

    RFC 5321 §4.5.2. A lone CR or LF becomes CRLF (§2.3.8): servers disagree about what
    `LF . LF` means, and a message must not be able to end itself and begin another.
    """
    if letter.is_tidy:
        return b"".join((*letter.pieces, b".\r\n"))
    content = bytes(letter)
    crlf = content.count(b"\r\n")
    if content.count(b"\n") != crlf or content.count(b"\r") != crlf:
        content = _BARE_LINE_END.sub(b"\r\n", content)
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def envelope(message: OutgoingEmail, eight_bit: bool) -> bytes:
    """The three commands before the message, a line each: MAIL, RCPT, DATA."""
    body = "" if message.letter.is_ascii or not eight_bit else " BODY=8BITMIME"  # RFC 6152
    return (
        f"MAIL FROM:<{message.sender}>{body}\r\nRCPT TO:<{message.recipient}>\r\nDATA\r\n"
    ).encode("ascii")


def fits_an_envelope(address: str) -> bool:
    """Whether `address` can stand between the angle brackets of MAIL and RCPT.

    Printable ASCII without blanks and brackets: a line end in an address would be a command
    of its own, and letters beyond ASCII need SMTPUTF8, which few servers have.
    """
    return _ENVELOPE_ADDRESS.fullmatch(address) is not None


def in_seven_bits(letter: Letter) -> Letter:
    """The same message for a server without 8BITMIME: 8-bit parts are encoded anew.

    Its other header fields stay as they are. A signature over the body would not survive; the
    builder signs seven-bit messages only.
    """
    seven_bit = policy.SMTP.clone(cte_type="7bit", refold_source="none")
    message = message_from_bytes(bytes(letter), policy=seven_bit)
    if message.is_multipart():
        del message["Content-Transfer-Encoding"]
    return Letter.of(message.as_bytes())
