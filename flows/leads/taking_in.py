"""From a submission to the store: the person, what she agreed to, and what starts campaigns.

Read twice it does nothing the second time: customers, events and consents have their own keys.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm_messaging.webhooks.posted import Malformed, Posted
from crm_store import events
from crm_store.consents import Proof, Said, keep_answers, request
from crm_store.customers import find_customer, find_customers, stage_of
from crm_store.event_names import CONSENT_REQUESTED, FORM_SUBMITTED, LEAD_CREATED, STAGE_CHANGED
from crm_store.imports.batch import Purpose
from crm_store.imports.cells import YES
from crm_store.imports.cells import Reading as Cells
from crm_store.imports.columns import find_places, same_heading
from crm_store.imports.kinds import customer_columns
from crm_store.inbox import Taken
from crm_store.leads import read_columns, store_lead
from crm_store.storable import short
from flows.leads.formats import submissions
from flows.leads.settings import CrmForm, FormSettings
from flows.leads.submission import Submission
from flows.reading import Reading, Unreadable

SOURCE = "form:"
"""What stands before a form's name as the source of inbox messages and events."""
_LONGEST_ID = 16
"""Characters of a submission's id within a customer's reference."""
_MOST_KEPT = 2_000
"""Characters of an answer that belongs to no field."""


class Intake:
    """Takes in what one form sends."""

    def __init__(self, name: str, form: FormSettings, country: str) -> None:
        self._name, self._form, self._country = name, form, country
        self._source = f"{SOURCE}{name}"

    def apply(self, reading: Reading, message: Taken) -> None:
        """Read a stored message. Raises `Unreadable`."""
        try:
            found = list(submissions(Posted(message.body, message.headers), self._form))
        except Malformed as error:
            raise Unreadable(error.reason, error.instruction) from error
        for one in found:
            if not one.is_test:
                self._take_in(reading, one, message.received_at)

    def _take_in(self, reading: Reading, one: Submission, received_at: datetime) -> None:
        at = min(one.at, received_at) if one.at else received_at
        columns, others = self._columns(reading, one)
        values, unread = read_columns(
            columns, reading.engine.catalogue, self._cells(reading.engine.club_zone, reading.now)
        )
        customer_id, is_new = self._person(reading, one, values)
        if isinstance(self._form, CrmForm):
            self._move(reading, customer_id, one, at)
        else:
            self._agree(reading, customer_id, others, one, at)
        told: dict[str, Any] = {"source": self._form.source or self._name, **one.about}
        if unread:
            told["unread"] = {name: str(columns[name])[:_MOST_KEPT] for name in unread}
        if is_new:
            self._record(reading, customer_id, LEAD_CREATED, told, one, at)
        if not isinstance(self._form, CrmForm):
            answers = {key: value[:_MOST_KEPT] for key, value in others.items() if value}
            told = {**told, "form": self._name, "answers": answers}
            self._record(reading, customer_id, FORM_SUBMITTED, told, one, at)

    def _columns(self, reading: Reading, one: Submission) -> tuple[dict[str, str], dict[str, str]]:
        """By column what she answered, and the answers that belong to none."""
        headings = list(one.answers)
        mapping = {name: path for name, path in self._form.map.items() if path in one.answers}
        # Her reference is ours to give: a form's `id` is an id of something else.
        wanted = [one for one in customer_columns(reading.engine.catalogue) if one.name != "ref"]
        places = find_places(wanted, headings, mapping)
        columns: dict[str, str] = {}
        used: set[str] = set()
        for name, indexes in places.of.items():
            used |= {headings[index] for index in indexes}
            answers = (one.answers[headings[index]] for index in indexes)
            if answer := next(filter(None, answers), ""):
                columns[name] = answer
        _split_name(columns, one.answers, used)
        return columns, {key: text for key, text in one.answers.items() if key not in used}

    def _cells(self, zone: ZoneInfo, now: datetime) -> Cells:
        return Cells(self._country, zone, now.astimezone(zone).date())

    def _person(
        self, reading: Reading, one: Submission, values: dict[str, Any]
    ) -> tuple[int, bool]:
        """Whom it is about, and whether she is new.

        A form may be filled in by anybody: what is known of a person is not changed by it. A CRM
        says who is meant, and what it says of her holds.
        """
        connection, club_id = reading.connection, reading.engine.club_id
        if self._form.source and "source" not in values:
            values["source"] = self._form.source
        purpose = Purpose(club_id, self._source, reading.now, reading.engine.catalogue)
        ref = one.person or f"{self._name}-{short(one.source_id, _LONGEST_ID)}"
        known = find_customer(connection, club_id, ref)
        if known is None and one.person is None:
            known = self._known_by_address(reading, values)
        if known is not None and one.person is None:
            return known, False
        if known is None and one.person is not None and not values:
            raise Unreadable("It is about a person whom nobody has told of yet.")
        return store_lead(connection, ref, values, purpose), known is None

    def _known_by_address(self, reading: Reading, values: Mapping[str, Any]) -> int | None:
        """The one customer with this address; of several nobody can say which."""
        for key in ("email", "phone"):
            if key in values:
                found = find_customers(
                    reading.connection, reading.engine.club_id, key, [values[key]]
                ).get(values[key], [])
                if len(found) == 1:
                    return found[0]
        return None

    def _agree(
        self,
        reading: Reading,
        customer_id: int,
        answers: Mapping[str, str],
        one: Submission,
        at: datetime,
    ) -> None:
        """Keep what she agreed to. A form never gives back what a person has refused."""
        consent = self._form.consent
        if consent is None:
            return
        wanted = same_heading(consent.heading)
        given = next((text for key, text in answers.items() if same_heading(key) == wanted), "")
        if given.strip().casefold() not in YES:
            return
        proof = Proof(self._source, consent.text, consent.version)
        twice = reading.engine.double_opt_in.intersection(consent.channels)
        keep_answers(
            reading.connection,
            [
                Said(customer_id, channel, consent.topic, True, proof)
                for channel in consent.channels
                if channel not in twice
            ],
            reading.now,
            refusals_stand=True,
        )
        for channel in sorted(twice):
            # Anybody can write anybody's address into a form: she herself has to confirm it.
            request(reading.connection, customer_id, channel, [consent.topic], proof, reading.now)
            asked = {"channel": channel, "topic": consent.topic}
            self._record(reading, customer_id, CONSENT_REQUESTED, asked, one, at, channel)

    def _move(self, reading: Reading, customer_id: int, one: Submission, at: datetime) -> None:
        """A CRM's stage becomes ours, where club.yaml says which it is."""
        form = self._form
        if not isinstance(form, CrmForm) or form.pipeline is None or one.stage is None:
            return
        stage = form.stages.get(one.stage)
        pipeline, was = stage_of(reading.connection, customer_id)
        if stage is None or (pipeline, was) == (form.pipeline, stage):
            return
        data = {"pipeline": form.pipeline, "to": stage}
        if pipeline == form.pipeline and was:
            data["from"] = was
        self._record(reading, customer_id, STAGE_CHANGED, data, one, at)

    def _record(
        self,
        reading: Reading,
        customer_id: int,
        name: str,
        data: dict[str, Any],
        one: Submission,
        at: datetime,
        part: str = "",
    ) -> None:
        """`part` tells apart what one submission makes several of."""
        events.record(
            reading.connection,
            customer_id=customer_id,
            name=name,
            data=data,
            source=self._source,
            source_id=f"{name}:{part}{one.source_id}",
            occurred_at=at,
            now=reading.now,
        )


_WHOLE_NAMES = frozenset(
    same_heading(one) for one in ("name", "full name", "ФИО", "Ваше имя", "नाम")
)


def _split_name(columns: dict[str, str], answers: Mapping[str, str], used: set[str]) -> None:
    """Many forms ask for the name in one piece: the first word is the first name."""
    for heading, answer in answers.items():
        if same_heading(heading) in _WHOLE_NAMES and answer.strip():
            first, _, last = answer.strip().partition(" ")
            if "first_name" not in columns or heading in used:
                columns["first_name"] = first
                if last.strip():
                    columns.setdefault("last_name", last.strip())
            used.add(heading)
