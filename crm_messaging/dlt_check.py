"""Whether each text message is what is registered for it in India, before anybody gets it."""

from collections.abc import Mapping
from typing import Any

from crm_messaging.dlt import mismatch
from crm_messaging.sms_worst import long_texts
from crm_messaging.template_library import TemplateLibrary
from crm_messaging.template_problems import TemplateFinding


def not_registered(
    library: TemplateLibrary, name: str, club: Mapping[str, Any]
) -> list[TemplateFinding]:
    """A finding for each language whose text has no registration, or says something else.

    It is tried with the long values of `sms_worst`: a name that does not fit into its place is
    found here, and not when its customer is to be written to.
    """
    findings = []
    for language in library.languages:
        texts = long_texts(library, name, language, club)
        if not texts:
            continue
        registered = library.load_sms(name, language).dlt
        file = f"{library.root.name}/{language}/sms/{name}.txt"
        if registered is None:
            message = "the template names no DLT registration: nobody in India gets it"
            fix = "Put dlt_template, dlt_text and dlt_kind into its head."
            findings.append(TemplateFinding(file, 1, 1, message, fix))
        elif told := next(filter(None, (mismatch(one, registered.text) for one in texts)), None):
            message = f"it is not what is registered as DLT template {registered.id}: {told}"
            fix = "Make it say what is registered; one {#var#} stands for at most 30 characters."
            findings.append(TemplateFinding(file, 1, 1, message, fix))
    return findings
