"""Segments: the named groups of customers in segments.yaml.

A broken segment is out of use by itself: campaigns that name it are refused, the others run.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field, StrictStr, field_validator

from triggers.check import checked_model
from triggers.expression import Condition, parse_condition
from triggers.model_walk import marked_texts
from triggers.names import ConditionText, SegmentId
from triggers.problems import Problem
from triggers.strict_model import StrictModel, wrong
from triggers.vocabulary import Vocabulary
from triggers.yaml_source import Source, read_yaml

FILE = "segments.yaml"
MOST = 200
"""More than this nobody oversees, and each is counted again and again."""
SEGMENTS = "customer.segments"


class SegmentRule(StrictModel):
    """One segment."""

    name: SegmentId = Field(examples=["regulars"])
    """The segment's name, which campaigns and conditions use."""
    where: ConditionText = Field(examples=["visits.last_30d >= 8"])
    """Who is in it: everyone of whom this is true."""
    description: StrictStr = Field(default="", examples=["Members who come twice a week"])
    """What it is for, in words for people."""


class SegmentsFile(StrictModel):
    """A whole segments.yaml."""

    segments: tuple[SegmentRule, ...]
    """The segments."""

    @field_validator("segments")
    @classmethod
    def _names_differ(cls, rules: tuple[SegmentRule, ...]) -> tuple[SegmentRule, ...]:
        if len(rules) > MOST:
            fix = f"keep at most {MOST}; a condition of a campaign's own needs no segment"
            wrong(f"there are {len(rules)} segments", fix, at=(MOST,))
        seen: set[str] = set()
        for index, rule in enumerate(rules):
            if rule.name in seen:
                fix = "give each segment a name of its own"
                wrong(f"the segment `{rule.name}` is there twice", fix, at=(index, "name"))
            seen.add(rule.name)
        return rules


@dataclass(frozen=True)
class Segment:
    """A sound segment."""

    name: str
    condition: Condition
    description: str

    @property
    def digest(self) -> str:
        """Stands for the condition's words: other words are another segment."""
        return hashlib.sha256(self.condition.text.encode()).hexdigest()


@dataclass(frozen=True)
class CheckedSegments:
    """The sound segments of a file, and all that is wrong with it."""

    sound: tuple[Segment, ...] = ()
    problems: tuple[Problem, ...] = ()


def check_segments(folder: Path, vocabulary: Vocabulary) -> CheckedSegments:
    """Check the segments.yaml of a club's folder; a club need not have one."""
    path = folder / FILE
    if not path.exists():
        return CheckedSegments()
    # No segment may look at segments: what they came to would depend on the order of counting.
    plain = replace(vocabulary, catalogue=vocabulary.catalogue.without(SEGMENTS))
    source = read_yaml(path, FILE)
    made, problems = checked_model(SegmentsFile, source, plain)
    if made is None:
        return CheckedSegments((), tuple(problems))
    broken = _broken(source, problems)
    sound = tuple(
        Segment(rule.name, parse_condition(rule.where, plain.catalogue), rule.description)
        for index, rule in enumerate(made.segments)
        if index not in broken
    )
    return CheckedSegments(sound, tuple(problems))


def _broken(source: Source, problems: list[Problem]) -> set[int]:
    """The places in the list of those with an error in their condition."""
    begins = [
        (source.position(text.loc[:2]), int(text.loc[1]))
        for text in marked_texts(SegmentsFile, source.data)
    ]
    return {
        max(index for begin, index in begins if begin <= (problem.line, problem.column))
        for problem in problems
        if problem.severity == "error"
    }
