"""Where in its file a campaign's rule stands: `campaigns/renewal.yaml:31`."""

from collections.abc import Sequence
from pathlib import Path

from crm_store.reasons import Reason
from triggers.check import CheckedFile
from triggers.definition import CampaignDefinition
from triggers.yaml_builder import Location
from triggers.yaml_source import Source, read_yaml

_OF_STEP = {
    Reason.CONDITION: ("if", "choose"),
    Reason.TOO_LATE: ("late", "at"),
    Reason.JOINED_LATE: ("at",),
    Reason.CAME: ("wait_for",),
}
"""Keys of a step, the first that it has, by the reason they are the rule of."""
_OF_DEFAULTS = {
    Reason.CAP: "cap",
    Reason.QUIET_HOURS: "quiet_hours",
    Reason.SEND_WINDOW: "send_window",
    Reason.TOO_LATE: "late",
}
_OF_CAMPAIGN = {
    Reason.PAUSED: "pause_while",
    Reason.EXITED: "exit_on",
    Reason.OPTED_OUT: "topic",
    Reason.ANCHOR_MOVED: "if_anchor_moves",
}


class RulePlaces:
    """Finds rules in the club's files, as long as a file still says what decided."""

    def __init__(self, files: Sequence[CheckedFile], folder: Path) -> None:
        self._files = {one.definition.campaign: one for one in files if one.definition is not None}
        self._folder = folder
        self._sources: dict[str, Source] = {}

    def of(self, definition: CampaignDefinition, *at: str | int) -> str | None:
        """The place of a key; none when it is not there, or the file has changed since."""
        checked = self._files.get(definition.campaign)
        if checked is None or checked.definition is None:
            return None
        if checked.definition.digest != definition.digest:
            return None
        source = self._source(definition.campaign, checked.path)
        if not _is_there(source, at):
            return None
        return f"{source.name}:{source.position(at, key=True)[0]}"

    def of_step(self, definition: CampaignDefinition, step: str, *keys: str) -> str | None:
        """The place of the first of these keys that a step has."""
        index = next((i for i, one in enumerate(definition.steps) if one.id == step), None)
        if index is None:
            return None
        places = (self.of(definition, "steps", index, key) for key in keys)
        return next((place for place in places if place), None)

    def of_reason(self, definition: CampaignDefinition, step: str, reason: str) -> str | None:
        """The place of the rule that a touchpoint's reason is about."""
        known = next((one for one in Reason if one == reason), None)
        if known is None:
            return None
        if place := self.of_step(definition, step, *_OF_STEP.get(known, ())):
            return place
        if key := _OF_DEFAULTS.get(known):
            return self.of(definition, "defaults", key)
        key = _OF_CAMPAIGN.get(known)
        return self.of(definition, key) if key else None

    def _source(self, campaign: str, path: Path) -> Source:
        if campaign not in self._sources:
            shown = path.relative_to(self._folder).as_posix()
            self._sources[campaign] = read_yaml(path, shown)
        return self._sources[campaign]


def _is_there(source: Source, at: Location) -> bool:
    value = source.data
    for part in at:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
