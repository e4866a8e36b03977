"""A text in a campaign file in which fields may stand: `Call {{ customer.first_name }}`.

The same language as a template's, in one line.
"""

from collections.abc import Mapping
from typing import Any

from crm_messaging.compiled import compiled_sms
from crm_messaging.render import render_sms
from crm_messaging.sms_template import flat_sms
from crm_messaging.template_file import TemplateFile
from crm_messaging.template_problems import TemplateFinding, TemplateUnusable
from crm_store.catalogue.field import Catalogue


class FilledText:
    """A checked text, and the catalogue fields that stand in it."""

    def __init__(self, text: str, catalogue: Catalogue, language: str) -> None:
        """Raises `TemplateUnusable`."""
        # A text message is the plain text of our templates; nothing of it is about the channel.
        flat = flat_sms("", TemplateFile("", text), catalogue, language)
        self.fields = flat.fields
        self._compiled = compiled_sms(flat)

    def filled(self, values: Mapping[str, Any]) -> str:
        """The text with a customer's values, in one line. Raises `RenderError`."""
        return " ".join(render_sms(self._compiled, values).split())


def filled_problems(text: str, catalogue: Catalogue, language: str) -> list[TemplateFinding]:
    """What is wrong with such a text; lines and columns count within it."""
    try:
        FilledText(text, catalogue, language)
    except TemplateUnusable as error:
        return list(error.findings)
    return []
