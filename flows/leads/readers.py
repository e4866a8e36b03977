"""Who reads what comes through each form."""

from collections.abc import Mapping

from flows.leads.meta_leads import asks_meta
from flows.leads.settings import FormSettings, MetaForm
from flows.leads.taking_in import SOURCE, Intake
from flows.reading import Reader


def lead_readers(forms: Mapping[str, FormSettings], country: str) -> Mapping[str, Reader]:
    """By `InboundMessage.source`; `country` is where a number without a country code belongs."""
    return {
        f"{SOURCE}{name}": Reader(
            Intake(name, form, country).apply,
            asks_meta(form) if isinstance(form, MetaForm) else None,
        )
        for name, form in forms.items()
    }
