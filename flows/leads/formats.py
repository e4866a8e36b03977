"""The formats in which others send leads, each read into submissions.

A reader is given the raw request and the form's settings; it raises `Malformed` for what is not
of its format. What a sender tells of things that are no person (companies, products) gives none.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from crm_messaging.json_path import text_at
from crm_messaging.webhooks.posted import Malformed, Posted, each, inner, pairs, text
from flows.leads.settings import FormSettings, JsonForm
from flows.leads.submission import Submission, split_about

Read: TypeAlias = Callable[[Posted, FormSettings], list[Submission]]


def typeform(posted: Posted, _form: FormSettings) -> list[Submission]:
    """Typeform's `form_response`; the headings are the questions, or the hidden fields' names."""
    response = inner(posted.object, "form_response")
    if not isinstance(response, Mapping):
        raise Malformed("There is no `form_response` in it.")
    titles = {text(one, "id"): text(one, "title") for one in each(response, "definition", "fields")}
    answers = {key: str(value) for key, value in pairs(response, "hidden")}
    for answer in each(response, "answers"):
        asked = text(answer, "field", "id")
        title = text(answer, "field", "title") or titles.get(asked, asked)
        answers[title] = _typeform_value(answer)
    answers, about = split_about(answers)
    source_id = text(response, "token") or text(posted.object, "event_id") or posted.digest()
    return [Submission(source_id, answers, _moment(text(response, "submitted_at")), about)]


def _typeform_value(answer: Any) -> str:
    """An answer's value stands under the name of its type; Google's under `response`."""
    given = dict(pairs(answer))
    match given.get("response", given.get(text(answer, "type"))):
        case {"label": label}:
            return str(label)
        case {"labels": [*labels]}:
            return ", ".join(map(str, labels))
        case [*values]:
            return ", ".join(map(str, values))
        case bool(value):
            return "yes" if value else "no"
        case str() | int() | float() as value:
            return str(value)
        case _:
            return ""


def tilda(posted: Posted, _form: FormSettings) -> list[Submission]:
    """Tilda's ordinary form. `test=test` comes when the address is connected."""
    values = {name: found[-1] for name, found in posted.form.items()}
    answers, about = split_about(values)
    for name in ("tranid", "formid", "formname", "test", "COOKIES"):
        answers.pop(name, None)
    return [
        Submission(
            values.get("tranid") or posted.digest(),
            answers,
            about=about,
            is_test=values.get("test") == "test",
        )
    ]


def google_ads(posted: Posted, _form: FormSettings) -> list[Submission]:
    """A Google Ads lead form; the headings are its column ids, such as FULL_NAME."""
    told = posted.object
    answers = {
        text(one, "column_id") or text(one, "column_name"): text(one, "string_value")
        for one in each(told, "user_column_data")
    }
    about = {name: text(told, name) for name in ("gcl_id", "campaign_id", "form_id", "adgroup_id")}
    return [
        Submission(
            text(told, "lead_id") or posted.digest(),
            answers,
            about={name: value for name, value in about.items() if value},
            is_test=told.get("is_test") is True,
        )
    ]


def meta(posted: Posted, _form: FormSettings) -> list[Submission]:
    """What Meta answered when it was asked for the leads that it had told the ids of."""
    return [
        Submission(
            text(lead, "id") or posted.digest(),
            {
                text(field, "name"): ", ".join(map(str, each(field, "values")))
                for field in each(lead, "field_data")
            },
            _moment(text(lead, "created_time")),
            {name: value for name in ("ad_id", "form_id") if (value := text(lead, name))},
        )
        for lead in each(posted.object, "leads")
    ]


def any_json(posted: Posted, form: FormSettings) -> list[Submission]:
    """Any JSON, or an ordinary form; what `map` names is found by its path."""
    if posted.content_type == "application/x-www-form-urlencoded":
        told: Mapping[str, Any] = {name: found[-1] for name, found in posted.form.items()}
    else:
        told = posted.object
    flat = {key: str(value) for key, value in told.items() if isinstance(value, str | int | float)}
    answers, about = split_about(flat)
    for path in form.map.values():
        if (value := text_at(told, path)) is not None:
            answers[path] = value
    given = form.id if isinstance(form, JsonForm) else None
    return [Submission(text_at(told, given) or posted.digest(), answers, about=about)]


def hubspot(posted: Posted, _form: FormSettings) -> list[Submission]:
    """A contact as a HubSpot workflow posts it; companies and deals name nobody to write to."""
    told = posted.object
    if not told.get("is-contact"):
        if told.get("objectType") is None:
            raise Malformed("It is neither a contact nor another object of HubSpot.")
        return []
    person = text(told, "canonical-vid") or text(told, "vid")
    values = {name: text(one, "value") for name, one in pairs(told, "properties")}
    answers = {heading: values.get(name, "") for heading, name in _HUBSPOT.items()}
    changed = values.get("lastmodifieddate", "")
    return [
        Submission(
            f"{person}:{changed or posted.digest()}",
            {key: value for key, value in answers.items() if value},
            person=f"hubspot-{person}",
            stage=values.get("hs_lead_status") or values.get("lifecyclestage"),
        )
    ]


_HUBSPOT = {
    "first_name": "firstname",
    "last_name": "lastname",
    "email": "email",
    "phone": "phone",
    "mobile phone number": "mobilephone",
    "birth_date": "date_of_birth",
}


def pipedrive(posted: Posted, _form: FormSettings) -> list[Submission]:
    """A person who was added or changed, or the stage of a deal of hers."""
    told = posted.object
    what, now = text(told, "meta", "object"), inner(told, "current")
    if not what:
        raise Malformed("It does not say what it is about (`meta.object`).")
    if not isinstance(now, Mapping) or what not in ("person", "deal"):
        return []
    stamp = text(told, "meta", "timestamp_micro") or text(told, "meta", "timestamp")
    source_id = f"{what}:{text(now, 'id')}:{stamp}"
    if what == "deal":
        person = text(now, "person_id")
        if not person:
            return []
        return [
            Submission(source_id, {}, person=f"pipedrive-{person}", stage=text(now, "stage_id"))
        ]
    answers = {name: text(now, name) for name in ("first_name", "last_name")}
    answers |= {name: _primary(each(now, name)) for name in ("email", "phone")}
    return [
        Submission(
            source_id,
            {key: value for key, value in answers.items() if value},
            person=f"pipedrive-{text(now, 'id')}",
        )
    ]


def _primary(listed: Iterable[Any]) -> str:
    """The address that is marked as the first, else any."""
    found = [one for one in listed if isinstance(one, Mapping) and one.get("value")]
    found.sort(key=lambda one: not one.get("primary"))
    return str(found[0]["value"]) if found else ""


def _moment(told: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(told.replace("+0000", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def hosted(posted: Posted, form: FormSettings) -> list[Submission]:
    """What our own page posts."""
    [one] = any_json(posted, form)
    return [one]


FORMATS: Mapping[str, Read] = {
    "hosted": hosted,
    "typeform": typeform,
    "google_forms": typeform,
    "tilda": tilda,
    "google_ads": google_ads,
    "meta": meta,
    "json": any_json,
    "hubspot": hubspot,
    "pipedrive": pipedrive,
}
"""By the `kind` of a form in club.yaml."""


def submissions(posted: Posted, form: FormSettings) -> Iterator[Submission]:
    """What a request says. Raises `Malformed`."""
    yield from FORMATS[form.kind](posted, form)


def as_json(leads: list[Any]) -> bytes:
    """The leads that Meta answered with, as `meta` reads them."""
    return json.dumps({"leads": leads}).encode()
