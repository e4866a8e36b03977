"""What a template says to a customer whose name is not known: the usual hole in a message."""

import re

from crm_messaging.compiled import CompiledEmail
from crm_messaging.render import RenderError, render_email, render_sms, values_for
from crm_messaging.template_library import TemplateLibrary, suffix_of
from crm_messaging.template_problems import (
    Mistake,
    TemplateFinding,
    TemplateUnusable,
    finding_at,
)

NAMES = ("customer.first_name", "customer.last_name")
"""No trigger promises them, and no file of customers has all of them."""


def needs_a_name(library: TemplateLibrary, channel: str, name: str) -> list[TemplateFinding]:
    """A finding for each name and language without which the message would not be sent.

    Templates that are wrong in any other way are left out.
    """
    findings = []
    for language in library.languages:
        try:
            # Where a language has no text of its own, another one's is not judged twice.
            if library.resolve(channel, name, language) != language:
                continue
            fields = library.load(channel, name, language).fields
        except TemplateUnusable:
            continue
        for missing in (one for one in NAMES if one in fields):
            error = _refusal(library, channel, name, language, missing)
            if error is None or not error.reason.startswith(f"{missing} is empty"):
                continue
            path = library.root / language / channel / f"{name}{suffix_of(channel)}"
            text = path.read_text(encoding="utf-8-sig")
            bare = re.search(rf"\{{\{{-?\s*({re.escape(missing)})(?!\s*or\b)", text)
            message = f"who has no {missing} would not be sent this"
            mistake = Mistake(bare.start(1) if bare else 0, message, error.instruction)
            file = path.relative_to(library.root.parent).as_posix()
            findings.append(finding_at(file, text, mistake))
    return findings


def _refusal(
    library: TemplateLibrary, channel: str, name: str, language: str, missing: str
) -> RenderError | None:
    """Why the message cannot be made for an example customer without that name."""
    compiled = library.load(channel, name, language)
    row = library.example_row(channel, name, language)
    values = values_for(row | {missing: None}, language, library.catalogue)
    try:
        if isinstance(compiled, CompiledEmail):
            render_email(compiled, values)
        else:
            render_sms(compiled, values)
    except RenderError as error:
        return error
    return None
