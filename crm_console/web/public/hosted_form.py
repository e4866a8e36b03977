"""The hosted lead form: a page in the club's look, which works without a script."""

from collections.abc import Collection, Mapping

from fastapi import Response

from crm_console.web.public.club_pages import ClubPages
from crm_console.web.public.form_words import FORM_WORDS
from crm_console.web.public.words import words_in
from crm_store.catalogue.standard import CUSTOM
from flows.clock import Clock
from flows.leads.settings import HostedForm
from flows.leads.submission import UTM
from flows.project import Project

_TRAP = "website"
"""A field that people do not see. Machines fill in whatever they find."""
_SHOWN_AT = "shown_at"
"""A page shown anew is a new form: the same answers twice from one page are one submission."""
_LONGEST = 500
_TYPES = {"email": "email", "phone": "tel", "birth_date": "date"}
_FILLED_BY = {
    "first_name": "given-name",
    "last_name": "family-name",
    "email": "email",
    "phone": "tel",
    "birth_date": "bday",
}
"""What browsers fill in by themselves (HTML Standard, section 4.10.18.7)."""


class HostedPage:
    """One form of the club."""

    def __init__(self, form: HostedForm, project: Project, clock: Clock) -> None:
        self._form, self._project, self._clock = form, project, clock
        self._pages = ClubPages(project.settings.club)

    def show(
        self, accepted: str, given: Mapping[str, str], missing: Collection[str] = ()
    ) -> Response:
        """The empty form, or one with what is there already and what is missing marked.

        `accepted` is the browser's Accept-Language.
        """
        language = self._language(accepted)
        texts = FORM_WORDS[language]
        fields = [
            {
                "name": name,
                "label": texts.labels.get(name) or self._label(name),
                "type": _TYPES.get(name, "text"),
                "filled_by": _FILLED_BY.get(name, "off"),
                "required": name in self._form.required,
                "value": given.get(name, "")[:_LONGEST] if missing else "",
                "missing": name in missing,
            }
            for name in self._form.fields
        ]
        return self._pages.show(
            "form.html",
            words_in([language]),
            status=422 if missing else 200,
            form=self._form,
            texts=texts,
            fields=fields,
            trap=_TRAP,
            hidden={_SHOWN_AT: given.get(_SHOWN_AT) or self._clock().isoformat(), **_utm(given)},
            agreed=bool(missing and self._form.consent and given.get(self._form.consent.heading)),
        )

    def thank(self, accepted: str) -> Response:
        """What is shown when the form has arrived."""
        language = self._language(accepted)
        texts = FORM_WORDS[language]
        text = self._form.thanks or texts.thanks_text
        return self._pages.show(
            "told.html",
            words_in([language]),
            title=texts.thanks_title,
            text=text,
            leave_url=None,
            choose_url=None,
        )

    def missing(self, given: Mapping[str, str]) -> list[str]:
        """The required fields that are empty."""
        return [name for name in self._form.required if not given.get(name, "").strip()]

    def kept(self, given: Mapping[str, str]) -> dict[str, str]:
        """What of a posted form is kept: our fields, the consent, and the way here."""
        names = [*self._form.fields, _SHOWN_AT, *UTM]
        if self._form.consent is not None:
            names.append(self._form.consent.heading)
        return {name: given[name][:_LONGEST] for name in names if given.get(name)}

    @staticmethod
    def is_filled_by_a_machine(given: Mapping[str, str]) -> bool:
        """Whether the field is filled in that nobody sees."""
        return bool(given.get(_TRAP))

    def _language(self, accepted: str) -> str:
        """The first language that the browser wants, the club speaks and we have words in."""
        spoken = [one for one in self._project.settings.club.languages if one in FORM_WORDS]
        wanted = [one.partition(";")[0].strip()[:2].lower() for one in accepted.split(",")]
        return next((one for one in wanted if one in spoken), (spoken or ["en"])[0])

    def _label(self, name: str) -> str:
        catalogue = self._project.catalogue
        for field in (f"{CUSTOM}{name}", f"customer.{name}"):
            if field in catalogue:
                return catalogue[field].label
        return name


def _utm(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given[name][:_LONGEST] for name in UTM if given.get(name)}
