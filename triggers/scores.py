"""Lead scores: the rules in scores.yaml that give and take points.

`customer.score` is the points that steps gave her (`update: {score: 10}`) and those of the rules,
as they stand at the moment of looking.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pydantic import ConfigDict, Field, StrictInt, field_validator, model_validator

from crm_store.catalogue.field import Catalogue
from crm_store.catalogue.standard import SCORE
from crm_store.catalogue.values import ConditionPoints, EventPoints, Scored
from triggers.check import checked_model
from triggers.expression import parse_condition
from triggers.names import ConditionText, EventName
from triggers.offsets import Duration
from triggers.problems import Problem
from triggers.segments import SEGMENTS
from triggers.strict_model import StrictModel, wrong
from triggers.vocabulary import Vocabulary
from triggers.yaml_source import read_yaml

FILE = "scores.yaml"
MOST = 50
"""Each is looked up for every customer whose score is asked for."""


class ScoreRule(StrictModel):
    """Points for what a customer does, or for what is known of them."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["event"]}, {"required": ["where"]}]}
    )

    points: StrictInt = Field(ge=-1000, le=1000, examples=[5])
    """How many; negative ones are taken away."""
    event: EventName | None = Field(default=None, examples=["visit_recorded"])
    """For each event of this name."""
    within: Duration | None = Field(default=None, examples=["30d"])
    """Only for events of the last so much time; for all of them when left out."""
    where: ConditionText | None = Field(default=None, examples=['customer.stage == "trial"'])
    """Once, while this is true of the customer."""

    @model_validator(mode="after")
    def _one_reason(self) -> Self:
        if self.event is None and self.where is None:
            wrong("the rule says for what", "add `event:` or `where:`")
        if self.event is not None and self.where is not None:
            wrong("the rule has both `event` and `where`", "make two rules of it", at=("where",))
        if self.within is not None and self.event is None:
            wrong("`within` has no effect without `event`", "leave it out", at=("within",))
        return self


class ScoresFile(StrictModel):
    """A whole scores.yaml."""

    rules: tuple[ScoreRule, ...]
    """The rules; their points are added up."""

    @field_validator("rules")
    @classmethod
    def _not_too_many(cls, rules: tuple[ScoreRule, ...]) -> tuple[ScoreRule, ...]:
        if len(rules) > MOST:
            wrong(f"there are {len(rules)} rules", f"keep at most {MOST}", at=(MOST,))
        return rules


@dataclass(frozen=True)
class CheckedScores:
    """A catalogue in which `customer.score` counts the rules, and all that is wrong with them.

    While something is wrong there is no `customer.score`: a campaign that uses it is refused and
    does not act on half a score.
    """

    catalogue: Catalogue
    problems: tuple[Problem, ...] = ()


def check_scores(folder: Path, vocabulary: Vocabulary) -> CheckedScores:
    """Check the scores.yaml of a club's folder; a club need not have one."""
    path = folder / FILE
    catalogue = vocabulary.catalogue
    if not path.exists():
        return CheckedScores(catalogue)
    # Neither may a rule look at the score itself, nor at segments, which may look at it.
    plain = catalogue.without(SCORE).without(SEGMENTS)
    source = read_yaml(path, FILE)
    made, problems = checked_model(ScoresFile, source, replace(vocabulary, catalogue=plain))
    if made is None or any(problem.severity == "error" for problem in problems):
        return CheckedScores(catalogue.without(SCORE), tuple(problems))
    scored = replace(catalogue[SCORE], value=Scored(tuple(_points(made.rules, plain))))
    return CheckedScores(catalogue.replaced(scored), tuple(problems))


def _points(
    rules: Iterable[ScoreRule], catalogue: Catalogue
) -> Iterable[EventPoints | ConditionPoints]:
    for rule in rules:
        if rule.event is not None:
            yield EventPoints(rule.points, rule.event, rule.within)
        elif rule.where is not None:
            yield ConditionPoints(rule.points, parse_condition(rule.where, catalogue))
