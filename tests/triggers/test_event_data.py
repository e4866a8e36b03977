"""What `check` says of `event.<key>`: in campaigns that no event starts, and of keys it knows."""

from dataclasses import replace
from pathlib import Path

import pytest
from campaign_files import check_one, lines

from crm_messaging.template_library import TemplateLibrary
from triggers.expression import ConditionError, parse_condition
from triggers.vocabulary import Vocabulary

TEXTS = {
    "sms/pay": "Please pay {{ event.amount | money }}",
    "sms/slip": "Please pay {{ event.amout | money }}",
    "sms/plain": "Hello!",
    "whatsapp/plain": "Hello, {{ event.trainer or 'dear' }}!",
}
DATED = "{type: membership_expiring}"
PAYMENT = "{type: event, name: payment_failed}"


def told(
    trigger: str, step: str, folder: Path, vocabulary: Vocabulary, rest: str = ""
) -> list[str]:
    for name, text in TEXTS.items():
        path = folder / "templates" / "en" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shelf = TemplateLibrary(folder / "templates", vocabulary.catalogue, ("en",))
    here = replace(vocabulary, templates=shelf, message_channels=("whatsapp",), languages=("en",))
    path = folder / "campaigns" / "one.yaml"
    path.parent.mkdir()
    path.write_text(
        "campaign: one\nname: One\ntopic: renewals\n"
        f"trigger: {trigger}\n"
        f"steps:\n  - id: first\n    at: +1d\n    {step}\n{rest}"
    )
    checked = check_one(path, here)
    return lines(path, (*checked.problems, *checked.warnings))


@pytest.mark.parametrize(
    "trigger",
    [
        PAYMENT,
        "{type: new_lead}",
        "{type: form, form: trial}",
        "{type: stage_change, pipeline: sales, to: member}",
        "{type: event, name: purchase_recorded}",
    ],
)
@pytest.mark.parametrize(
    "step",
    [
        "sms: pay",
        "task: {queue: desk, title: 'Call about {{ event.amount }}', due: 4h}",
        "webhook: {url: https://crm.example/hook, data: {sum: '{{ event.amount }}'}}",
    ],
)
def test_an_event_has_data(trigger: str, step: str, tmp_path: Path, vocabulary: Vocabulary) -> None:
    assert told(trigger, step, tmp_path, vocabulary) == []


TAKE_IT_OUT = "and no event starts this campaign; take it out, or start the campaign by an event"
NOWHERE = [
    ("sms: pay", "8:10: [one] the template `pay` says `event.amount`, "),
    (
        "message: {channel: whatsapp, template: plain}",
        "8:14: [one] the template `plain` says `event.trainer`, ",
    ),
    (
        "sms: plain\n    fallback: [whatsapp]",
        "9:16: [one] the template `plain` says `event.trainer`, ",
    ),
    (
        "task: {queue: desk, title: '{{ event.amount }}', due: 4h}",
        "8:32: [one] the title says `event.amount`, ",
    ),
    (
        "webhook: {url: https://crm.example/hook, data: {sum: '{{ event.amount }}'}}",
        "8:58: [one] `sum` says `event.amount`, ",
    ),
]


@pytest.mark.parametrize(("step", "said"), NOWHERE)
def test_where_no_event_starts_it_there_is_none(
    step: str, said: str, tmp_path: Path, vocabulary: Vocabulary
) -> None:
    (found,) = told(DATED, step, tmp_path, vocabulary)
    assert found.startswith(said + TAKE_IT_OUT)


def test_a_package_that_runs_low_is_no_event(tmp_path: Path, vocabulary: Vocabulary) -> None:
    (found,) = told("{type: balance_low, at_most: 2}", "sms: pay", tmp_path, vocabulary)
    assert TAKE_IT_OUT in found


@pytest.mark.parametrize(
    ("trigger", "rest", "said"),
    [
        (
            "{type: event, name: visit_recorded}",
            "",
            "[one] the template `slip` says `event.amout`, and a `visit_recorded` has no `amout`;"
            " take it out",
        ),
        (
            "{type: event, name: purchase_recorded}",
            "",
            "`purchase_recorded` has no `amout`; did you mean `amount`?",
        ),
        (
            "{type: event, name: payment_failed, where: {amount: {at_least: 5}}}",
            "",
            "warning: [one] the template `slip` says `event.amout`, where the trigger and the tests"
            " name `amount`; did you mean `event.amount`?",
        ),
        (
            PAYMENT,
            "tests:\n  - name: a test\n    given: {events: [{at: now, name: payment_failed,"
            " data: {amount: 5}}]}\n",
            "did you mean `event.amount`?",
        ),
    ],
)
def test_a_misspelt_key(
    trigger: str, rest: str, said: str, tmp_path: Path, vocabulary: Vocabulary
) -> None:
    (found,) = told(trigger, "sms: slip", tmp_path, vocabulary, rest)
    assert said in found


def test_a_misspelt_key_is_told_where_it_is_written(tmp_path: Path, vocabulary: Vocabulary) -> None:
    trigger = "{type: event, name: purchase_recorded}"
    (found,) = told(trigger, "sms: slip", tmp_path, vocabulary)
    assert found.startswith("templates/en/sms/slip.txt:1:15: [one] the template `slip` says")


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "tests: [{name: a, given: {events: [{at: now, name: other, data: {amount: 5}}]}}]",
        "tests: [{name: a, given: {events: [{at: now, name: payment_failed, data: 5}, 7]}}]",
        "tests: [{name: a, given: {events: {}}}]",
    ],
)
def test_of_other_keys_nobody_can_say(rest: str, tmp_path: Path, vocabulary: Vocabulary) -> None:
    assert told(PAYMENT, "sms: slip", tmp_path, vocabulary, rest) == []


@pytest.mark.parametrize("field", ["coupon.code", "message.unsubscribe_url"])
def test_a_call_is_no_message(field: str, tmp_path: Path, vocabulary: Vocabulary) -> None:
    call = f"webhook: {{url: https://crm.example/hook, data: {{a: '{{{{ {field} }}}}'}}}}"
    (found,) = told(PAYMENT, call, tmp_path, vocabulary)
    assert f"there is no field {field}" in found


def test_a_condition_leaves_that_question_to_the_trigger(vocabulary: Vocabulary) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition("event.amount > 5", vocabulary.catalogue)
    assert refused.value.message == "unknown field `event.amount`"
    assert "a trigger of the type `event` asks what its event says" in refused.value.fix
    assert "{amount: {at_least: 9}}" in refused.value.fix
