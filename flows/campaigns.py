"""The campaigns of a run: checked files, their stored versions, and their parsed conditions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crm_store import enrollments
from crm_store.campaigns import keep_version, versions_by_id
from crm_store.catalogue.field import Catalogue
from crm_store.database import Store
from triggers.check import CheckedFile
from triggers.definition import CampaignDefinition
from triggers.expression import Condition, parse_condition
from triggers.steps import Branch

PUT_FILE_BACK = "put the file back, with a `where` that nobody meets if it is to end"

NOT_KEPT = 0
"""The id of a version that is not looked for in the store."""


@dataclass(frozen=True)
class Version:
    """A campaign as it stood when someone entered: its definition and compiled conditions."""

    id: int
    number: int
    definition: CampaignDefinition
    where: Condition | None
    pause_while: Condition | None
    conditions: Mapping[tuple[str, str], Condition]
    """By step and way of it; a step's own under an empty way."""


@dataclass
class RunningCampaign:
    """A campaign whose file is sound: its newest version, and the older ones still in flight."""

    slug: str
    current: Version
    versions: dict[int, Version] = field(default_factory=dict)


@dataclass(frozen=True)
class DisabledCampaign:
    """A campaign whose file is broken, or gone. It alone does not run; the others do."""

    slug: str
    problem: str


def load_campaigns(
    store: Store, files: list[CheckedFile], catalogue: Catalogue, now: datetime
) -> tuple[list[RunningCampaign], list[DisabledCampaign]]:
    """Keep a version of every sound file; name every broken one.

    Those with the highest priority come first, else they stay in the order of their files.
    """
    running, disabled = [], []
    for checked in files:
        if checked.definition is None:
            disabled.append(_disabled(checked))
            continue
        definition = checked.definition
        row = store.transact(
            keep_version,
            campaign=definition.campaign,
            digest=definition.digest,
            definition=definition.model_dump(mode="json"),
            now=now,
        )
        current = _version(row.id, row.version, definition, catalogue)
        running.append(RunningCampaign(definition.campaign, current, {row.id: current}))
    running.sort(key=lambda one: -one.current.definition.priority)
    return running, disabled


def without_file(store: Store, club_id: int, files: list[CheckedFile]) -> dict[str, str]:
    """By campaign that customers of a club are in, and that none of the files is of: what is so."""
    with store.read() as connection:
        inside = enrollments.waiting_elsewhere(connection, club_id, {one.name for one in files})
    return {
        campaign: f"its file is gone; {_customers_are(number)} inside, and nothing of it leaves"
        for campaign, number in inside.items()
    }


def disabled_without_file(
    store: Store, club_id: int, files: list[CheckedFile]
) -> list[DisabledCampaign]:
    """The same, and how to mend it."""
    gone = without_file(store, club_id, files)
    return [DisabledCampaign(slug, f"{why}: {PUT_FILE_BACK}") for slug, why in gone.items()]


def _customers_are(number: int) -> str:
    return "1 customer is" if number == 1 else f"{number:,} customers are"


def following(files: list[CheckedFile]) -> tuple[list[RunningCampaign], list[DisabledCampaign]]:
    """Those of sound files, to be delivered only: their versions are what the store has of them."""
    sound = [one.definition for one in files if one.definition is not None]
    running = [
        RunningCampaign(one.campaign, Version(NOT_KEPT, 0, one, None, None, {})) for one in sound
    ]
    return running, [_disabled(one) for one in files if one.definition is None]


def version_of(
    campaign: RunningCampaign, version_id: int, store: Store, catalogue: Catalogue
) -> Version:
    """The version that a customer entered under; read from the store once."""
    if version_id not in campaign.versions:
        with store.read() as connection:
            row = versions_by_id(connection, [version_id])[version_id]
        definition = CampaignDefinition.model_validate(row.definition)
        # Nobody enters under it any more: its `where` may speak of a field that is gone.
        definition = definition.model_copy(update={"where": None})
        campaign.versions[version_id] = _version(row.id, row.version, definition, catalogue)
    return campaign.versions[version_id]


def _version(
    version_id: int, number: int, definition: CampaignDefinition, catalogue: Catalogue
) -> Version:
    return Version(
        version_id,
        number,
        definition,
        _parsed(definition.where, catalogue),
        _parsed(definition.pause_while, catalogue),
        dict(_conditions(definition, catalogue)),
    )


def _conditions(
    definition: CampaignDefinition, catalogue: Catalogue
) -> Iterator[tuple[tuple[str, str], Condition]]:
    for step in definition.steps:
        if own := _parsed(step.condition, catalogue):
            yield (step.id, ""), own
        for act in step.ways():
            if isinstance(act.action, Branch) and (
                of_way := _parsed(act.action.condition, catalogue)
            ):
                yield (step.id, act.variant), of_way


def _parsed(text: str | None, catalogue: Catalogue) -> Condition | None:
    return None if text is None else parse_condition(text, catalogue)


def _disabled(checked: CheckedFile) -> DisabledCampaign:
    first = checked.problems[0]
    return DisabledCampaign(checked.name, str(first))
