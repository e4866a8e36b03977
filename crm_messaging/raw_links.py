"""Links in an e-mail's Markdown that are none: customers would read brackets and an address."""

import re

from crm_messaging.template_library import TemplateLibrary, suffix_of
from crm_messaging.template_problems import (
    Mistake,
    TemplateFinding,
    TemplateUnusable,
    finding_at,
)

_RAW = re.compile(r"(\[[^\[\]]*\]\()(\S{0,40})")


def links_that_are_none(library: TemplateLibrary, name: str) -> list[TemplateFinding]:
    """A finding for each `[label](address` that Markdown has left as it stands.

    E-mails that are wrong in any other way are left out.
    """
    findings = []
    for language in library.languages:
        try:
            # Where a language has no text of its own, another one's is not judged twice.
            if library.resolve("email", name, language) != language:
                continue
            said = library.load_email(name, language).text.source
        except TemplateUnusable:
            continue
        if not (links := _RAW.findall(said)):
            continue
        path = library.root / language / "email" / f"{name}{suffix_of('email')}"
        text = path.read_text(encoding="utf-8-sig")
        file = path.relative_to(library.root.parent).as_posix()
        for begins, address in links:
            # Markdown makes spaces of line ends.
            written = r"\s+".join(map(re.escape, f"{begins}{address}".split()))
            found = re.search(written, text)
            message = f"`{begins}` is made no link: it is sent as it stands"
            fix = "Close the address with `)`; a space in it is `%20`."
            findings.append(
                finding_at(file, text, Mistake(found.start() if found else 0, message, fix))
            )
    return findings
