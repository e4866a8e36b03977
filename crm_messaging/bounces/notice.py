"""What a report says to a person, recipient by recipient."""

from crm_messaging.bounces.mail import Mail


def notice_about(mail: Mail, recipient: str | None, *, alone: bool) -> str:
    """The words about one recipient: from where she is named to where the next one is.

    When she is the only one, it is the whole notice.
    """
    if alone or recipient is None:
        return mail.notice
    name, taking, taken = recipient.lower(), False, []
    for line, named in mail.notice_lines:
        if named:
            # "after RCPT TO:<...>" names her again; an address of somebody else ends her part.
            taking = name in named
        if taking:
            taken.append(line)
    return "\n".join(taken)
