"""Checks campaign files: every error in every file at once, and nothing but files is read."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from crm_store.errors import UsageError
from triggers.action_checks import action_problems
from triggers.definition import CampaignDefinition
from triggers.event_data import event_data_problems
from triggers.event_slips import in_other_words, misspelt
from triggers.expression import ConditionError, Mention, parse_condition
from triggers.festivals import festival_mistake
from triggers.model_problems import problems_of
from triggers.model_walk import MarkedText, marked_texts
from triggers.names import Kind
from triggers.problems import Problem, choose_from, nearest
from triggers.slips import slips
from triggers.unreachable import never_or_always, unreachable
from triggers.vocabulary import Vocabulary
from triggers.yaml_source import Source, read_yaml
from triggers.zones import is_zone, right_zone

Model = TypeVar("Model", bound=BaseModel)

_DECLARED_IN = {
    Kind.PLAN: "`plans:` in club.yaml",
    Kind.PIPELINE: "`pipelines:` in club.yaml",
    Kind.STAGE: "`pipelines:` in club.yaml",
    Kind.TOPIC: "`topics:` in club.yaml",
    Kind.FIELD: "`fields:` in club.yaml",
    Kind.CHANNEL: "`channels:` in club.yaml",
    Kind.SEGMENT: "segments.yaml",
    Kind.DATE: "`fields:` in club.yaml",
}
"""Where a club lists the names."""
_MENTIONED = {
    "membership.plan": Kind.PLAN,
    "customer.pipeline": Kind.PIPELINE,
    "customer.stage": Kind.STAGE,
    "customer.segments": Kind.SEGMENT,
}
"""Fields whose values are names of the club's: a condition that misspells one is never true."""


@dataclass
class CheckedFile:
    """A campaign file and all that is wrong with it. A broken one has no definition."""

    path: Path
    definition: CampaignDefinition | None
    problems: list[Problem] = field(default_factory=list)
    """The errors: with one of them the campaign does not run."""
    warnings: list[Problem] = field(default_factory=list)
    """What runs, and is probably not meant so."""

    @property
    def name(self) -> str:
        """The campaign's name as far as the file says it, else the file's."""
        told = next((problem.campaign for problem in self.problems), None)
        return self.definition.campaign if self.definition else told or self.path.stem


def check_campaigns(
    directory: Path, vocabulary: Vocabulary, named: str | None = None
) -> list[CheckedFile]:
    """Check every `.yaml` and `.yml` file below a folder, in the order of their paths.

    With `named`, only those whose campaign or file bears that name.

    Problems name files relative to the folder that holds `directory`. Raises `UsageError`
    when there is no such folder: no campaigns is not the same as no folder.
    """
    if not directory.is_dir():
        raise UsageError(
            f"There is no folder {directory}.", "Name the club's folder with --project."
        )
    sources = {
        path: read_yaml(path, path.relative_to(directory.parent).as_posix())
        for path in sorted(directory.rglob("*.y*ml"))
        # Editors keep hidden files of their own beside ours.
        if path.suffix in (".yaml", ".yml") and not path.name.startswith(".")
    }
    checked = [
        _check(path, source, vocabulary)
        for path, source in sources.items()
        if named is None or named in (path.stem, _slug(source))
    ]
    _refuse_shared_names(checked, sources)
    return checked


def _check(path: Path, source: Source, vocabulary: Vocabulary) -> CheckedFile:
    definition, problems = checked_model(CampaignDefinition, source, vocabulary)
    if definition is not None and not any(problem.severity == "error" for problem in problems):
        problems += action_problems(definition, source, vocabulary)
        problems += unreachable(definition, source, vocabulary)
    if definition is not None and not any(problem.severity == "error" for problem in problems):
        problems += event_data_problems(definition, source, vocabulary)
        problems += slips(definition, source)
    slug = _slug(source)
    # A template that two steps share is wrong once.
    told = list(dict.fromkeys(replace(problem, campaign=slug) for problem in problems))
    told.sort(key=lambda problem: (problem.file != source.name, problem.line, problem.column))
    errors = [problem for problem in told if problem.severity == "error"]
    warnings = [problem for problem in told if problem.severity == "warning"]
    return CheckedFile(path, None if errors else definition, errors, warnings)


def checked_model(
    model: type[Model], source: Source, vocabulary: Vocabulary
) -> tuple[Model | None, list[Problem]]:
    """A file as a model, and all that is wrong with it: its YAML, its keys, and its texts."""
    made = None
    problems = list(source.problems)
    if source.complete:
        try:
            made = model.model_validate(source.data)
        except ValidationError as error:
            problems += problems_of(error, source, model)
        misspelt = {(problem.line, problem.column) for problem in problems}
        for text in marked_texts(model, source.data):
            if source.position(text.loc) not in misspelt:
                problems += _check_text(text, source, vocabulary)
    return made, problems


def _slug(source: Source) -> str | None:
    slug = source.data.get("campaign") if isinstance(source.data, dict) else None
    return slug if isinstance(slug, str) else None


def _refuse_shared_names(checked: list[CheckedFile], sources: dict[Path, Source]) -> None:
    """Of two files with one name nobody knows which to run, so neither runs."""
    files = defaultdict(list)
    for one in checked:
        if slug := _slug(sources[one.path]):
            files[slug].append(one)
    for slug, sharing in files.items():
        for one in sharing if len(sharing) > 1 else ():
            others = ", ".join(sources[other.path].name for other in sharing if other is not one)
            problem = sources[one.path].problem(
                ("campaign",),
                f"the name `{slug}` is also used in {others}",
                "give each campaign a name of its own",
            )
            one.problems.append(replace(problem, campaign=slug))
            one.definition = None


def _check_text(text: MarkedText, source: Source, vocabulary: Vocabulary) -> Iterator[Problem]:
    if text.kind is Kind.CONDITION:
        yield from _check_condition(text, source, vocabulary)
        return
    pipeline = text.owner.get("pipeline") if text.kind is Kind.STAGE else None
    known = vocabulary.names(text.kind, pipeline if isinstance(pipeline, str) else None)
    if known is not None and text.text not in known:
        at = source.problem(text.loc, "")
        if text.kind in _DECLARED_IN:
            yield _unknown(text.kind, text.text, list(known), at)
        else:
            yield _unknown_template(text.kind, text.text, vocabulary, at)
    elif text.kind is Kind.EVENT:
        yield from _check_event(text.text, source.problem(text.loc, ""))
    elif text.kind in (Kind.EMAIL, Kind.SMS, Kind.MESSAGE):
        yield from _check_template(text, source, vocabulary)
    elif text.kind is Kind.HOLIDAY:
        yield from _check_holiday(text, source)
    elif text.kind is Kind.FILLED:
        yield from _check_filled(text, source, vocabulary)


def _check_event(name: str, at: Problem) -> Iterator[Problem]:
    """A club's events have any names, but one that is nearly ours is a slip: it never comes."""
    if meant := misspelt(name):
        yield replace(at, message=f"no event is called `{name}`", fix=f"did you mean `{meant}`?")
    elif meant := in_other_words(name):
        message = f"nothing records `{name}` by itself"
        fix = f"did you mean `{meant}`? Else it is yours to record"
        yield replace(at, message=message, fix=fix, severity="warning")


def _check_holiday(text: MarkedText, source: Source) -> Iterator[Problem]:
    country = text.owner.get("country")
    if isinstance(country, str) and (mistake := festival_mistake(text.text, country)):
        key, message, fix = mistake
        yield source.problem((*text.loc[:-1], key), message, fix)


def _check_template(text: MarkedText, source: Source, vocabulary: Vocabulary) -> Iterator[Problem]:
    channel = text.owner.get("channel") if text.kind is Kind.MESSAGE else text.kind.value
    for finding in vocabulary.templates.problems(str(channel), text.text):
        if finding.file:
            line, column = max(finding.line, 1), max(finding.column, 1)
            yield Problem(finding.file, line, column, finding.message, finding.fix)
        else:
            yield source.problem(text.loc, finding.message, finding.fix)


def _check_filled(text: MarkedText, source: Source, vocabulary: Vocabulary) -> Iterator[Problem]:
    for finding in vocabulary.templates.filled_problems(text.text):
        lines = text.text.splitlines(keepends=True)[: max(finding.line, 1) - 1]
        offset = sum(map(len, lines)) + max(finding.column, 1) - 1
        line, column = source.position_within(text.loc, offset)
        yield Problem(source.name, line, column, finding.message, finding.fix)


def _check_condition(text: MarkedText, source: Source, vocabulary: Vocabulary) -> Iterator[Problem]:
    try:
        condition = parse_condition(text.text, vocabulary.catalogue)
    except ConditionError as error:
        line, column = source.position_within(text.loc, error.offset)
        yield Problem(source.name, line, column, error.message, error.fix)
        return
    yield from never_or_always(condition, source, text.loc, is_way="choose" in text.loc)
    for mention in condition.mentions:
        line, column = source.position_within(text.loc, mention.offset)
        yield from _check_mention(mention, vocabulary, Problem(source.name, line, column, ""))


def _check_mention(mention: Mention, vocabulary: Vocabulary, at: Problem) -> Iterator[Problem]:
    if mention.field == "customer.timezone" and not is_zone(mention.value):
        message = f"unknown time zone `{mention.value}`"
        yield replace(at, message=message, fix=right_zone(mention.value))
    if kind := _MENTIONED.get(mention.field):
        known = vocabulary.names(kind)
        # A club that lists none of a kind lets any name pass in conditions; segments it has to.
        if (known or kind is Kind.SEGMENT) and mention.value not in (known or ()):
            yield _unknown(kind, mention.value, list(known or ()), at)


def _unknown(kind: Kind, name: str, known: list[str], at: Problem) -> Problem:
    declare = f"add it to {_DECLARED_IN[kind]}"
    fix = choose_from(name, known, declare)
    if known and not nearest(name, known):
        fix += f", or {declare}"
    return replace(at, message=f"unknown {kind.value} `{name[:60]}`", fix=fix)


def _unknown_template(kind: Kind, name: str, vocabulary: Vocabulary, at: Problem) -> Problem:
    shelf = vocabulary.templates
    # Misspelt, or new: the shelf says which file it would be.
    fix = next((finding.fix for finding in shelf.problems(kind.value, name)), "")
    if near := nearest(name, shelf.names(kind.value)):
        fix = f"did you mean `{near}`? Else {fix[:1].lower()}{fix[1:]}"
    return replace(at, message=f"unknown {kind.value} template `{name}`", fix=fix)
