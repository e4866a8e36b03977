"""A small folder of templates, and a customer to write to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crm_messaging.message import EmailParts
from crm_messaging.render import render_email, render_sms, values_for
from crm_messaging.template_library import TemplateLibrary
from crm_messaging.template_problems import TemplateFinding
from crm_store.catalogue.field import Catalogue, FieldType
from crm_store.catalogue.standard import catalogue_of, custom_field

LAYOUT = """<mjml>
  <mj-head>
    <mj-title>{{ subject }}</mj-title>
    <mj-preview>{{ preheader }}</mj-preview>
    <mj-style>p { color: #123456; } @media (max-width: 480px) { p { font-size: 18px; } }</mj-style>
  </mj-head>
  <mj-body>
    <mj-section><mj-column>
      <mj-text>{{ content }}</mj-text>
      <mj-text>{{ club.name }}, {{ club.address }}</mj-text>
    </mj-column></mj-section>
  </mj-body>
</mjml>
"""

BARE_LAYOUT = """<mjml><mj-body>
  <mj-section><mj-column><mj-text><i></i>{{ content }}<u></u></mj-text></mj-column></mj-section>
</mj-body></mjml>
"""
"""Nothing but the content, between two marks."""

CATALOGUE: Catalogue = catalogue_of([custom_field("goal", FieldType.TEXT, "Goal")])

ASHA: dict[str, Any] = {field.name: field.example_in_a_row for field in CATALOGUE} | {
    "customer.tags": "vip\nyoga"
}

LAYOUTS = {"layouts/club.mjml": LAYOUT, "layouts/bare.mjml": BARE_LAYOUT}


def library(
    root: Path, files: Mapping[str, str], languages: tuple[str, ...] = ("en",)
) -> TemplateLibrary:
    """A library of `files` (paths below `templates/`) and the layout `club`."""
    for path, text in {**LAYOUTS, **files}.items():
        target = root / "templates" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return TemplateLibrary(root / "templates", CATALOGUE, languages)


def email_of(
    root: Path, body: str, *, head: str = 'subject: "Hello"', language: str = "en", **values: Any
) -> EmailParts:
    """The e-mail that a body (Markdown) becomes for Asha; `values` as ``customer__first_name``."""
    path = f"{language}/email/a/b.md"
    made = library(root, {path: f"---\n{head}\n---\n{body}"}, (language,))
    compiled = made.load_email("a/b", language)
    return render_email(compiled, values_for(row_of(compiled.fields, values), language, CATALOGUE))


def sms_of(root: Path, text: str, *, language: str = "en", **values: Any) -> str:
    """The text message that a template becomes for Asha."""
    made = library(root, {f"{language}/sms/a/b.txt": text}, (language,))
    compiled = made.load_sms("a/b", language)
    return render_sms(compiled, values_for(row_of(compiled.fields, values), language, CATALOGUE))


def row_of(fields: frozenset[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """Asha's row with only the fields a template asks for."""
    changed = {name.replace("__", "."): value for name, value in values.items()}
    return {name: (ASHA | changed)[name] for name in fields}


def sms_problems(root: Path, text: str, language: str = "en") -> list[TemplateFinding]:
    """What is wrong with a text message's template."""
    path = f"{language}/sms/a/b.txt"
    return library(root, {path: text}, (language,)).problems("sms", "a/b")


def email_problems(root: Path, file: str, layout: str = LAYOUT) -> list[TemplateFinding]:
    """What is wrong with an e-mail's file."""
    files = {"layouts/club.mjml": layout, "en/email/a/b.md": file}
    return library(root, files).problems("email", "a/b")
