"""The club's rules beside its campaigns, segments.yaml and scores.yaml, and counting by them."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from crm_store.catalogue.field import Catalogue
from flows.trouble import class_and_place
from triggers.scores import check_scores
from triggers.segments import SEGMENTS, Segment, check_segments
from triggers.vocabulary import Vocabulary

if TYPE_CHECKING:
    from crm_store.admission import Among
    from flows.campaigns import RunningCampaign
    from flows.engine import Engine
    from triggers.problems import Problem

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rules:
    """What the two files come to."""

    catalogue: Catalogue
    """In which `customer.score` counts the rules."""
    segments: tuple[Segment, ...] = ()
    """The sound ones."""
    problems: tuple["Problem", ...] = ()


def read_rules(folder: Path, vocabulary: Vocabulary) -> Rules:
    """Read the rules of the club in `folder`; both files may be missing."""
    scores = check_scores(folder, vocabulary)
    segments = check_segments(folder, replace(vocabulary, catalogue=scores.catalogue))
    return Rules(scores.catalogue, segments.sound, (*scores.problems, *segments.problems))


AmongOf: TypeAlias = Callable[[Segment], "Among | None"]
"""Among whom a segment is counted: see `among` of `crm_store.segments.count_segment`."""


def everybody(_segment: Segment) -> None:
    """Each segment is counted among all."""


def count_segments(
    engine: "Engine", campaigns: Sequence["RunningCampaign"], among_of: AmongOf = everybody
) -> None:
    """Bring the stays in the segments that these campaigns speak of up to date."""
    # The database library loads here: commands that only read files never wait for it.
    from crm_store.scope import Scope
    from crm_store.segments import count_segment

    used = set(segments_used(campaigns))
    now = engine.clock()
    scope = Scope.at(now, engine.club_zone)
    for segment in engine.segments:
        if segment.name not in used:
            continue
        try:
            engine.store.transact(
                count_segment,
                engine.club_id,
                segment.name,
                digest=segment.digest,
                condition=segment.condition.asked(scope),
                now=now,
                among=among_of(segment),
            )
        except Exception as error:
            # Its campaigns go by the last count; the others have nothing to do with it.
            log.error("segment %s was not counted: %s", segment.name, class_and_place(error))  # noqa: TRY400


def segments_used(campaigns: Iterable["RunningCampaign"]) -> Iterator[str]:
    """The names of the segments that triggers or conditions of these campaigns speak of."""
    for campaign in campaigns:
        for version in campaign.versions.values():
            yield from version.definition.trigger.segments
            conditions = (version.where, version.pause_while, *version.conditions.values())
            for condition in conditions:
                for mention in condition.mentions if condition else ():
                    if mention.field == SEGMENTS:
                        yield mention.value
