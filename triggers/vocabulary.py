"""The words that this club's campaigns may use: its fields, plans, stages, topics, templates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from crm_store.catalogue.field import Catalogue, has_days
from crm_store.catalogue.standard import CUSTOM
from triggers.actions import MESSAGING
from triggers.names import Kind


class TemplateFinding(Protocol):
    """Something wrong with a template. Lines and columns count from 1; 0 is the whole file."""

    @property
    def file(self) -> str:
        """Relative to the project; empty when the reference itself is wrong."""
        ...

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...

    @property
    def message(self) -> str: ...

    @property
    def fix(self) -> str: ...


class TemplateShelf(Protocol):
    """The club's templates, as far as a campaign is concerned. `channel` is `email` or `sms`."""

    def names(self, channel: str) -> Sequence[str]:
        """The names a step may use, such as `renewal/heads_up`."""
        ...

    def problems(self, channel: str, name: str) -> Sequence[TemplateFinding]:
        """All that is wrong with a template, in every language."""
        ...

    def fields(self, channel: str, name: str) -> frozenset[str]:
        """The fields that a sound template prints or asks about, in any language."""
        ...

    def places(self, channel: str, name: str, field: str) -> Sequence[tuple[str, int, int]]:
        """Where a template's files name a field first: file, line and column, as of a finding."""
        ...

    def filled_problems(self, text: str) -> Sequence[TemplateFinding]:
        """All that is wrong with a text in which fields may stand; places count within it."""
        ...

    def filled_fields(self, text: str) -> frozenset[str]:
        """The fields that stand in such a text, where it is sound."""
        ...


@dataclass(frozen=True)
class Vocabulary:
    """What exists in this club."""

    catalogue: Catalogue
    plans: frozenset[str] | None
    """Nothing when the club keeps no list: then any plan passes."""
    pipelines: Mapping[str, Sequence[str]]
    """The stages of each pipeline."""
    topics: Sequence[str]
    languages: Sequence[str]
    templates: TemplateShelf
    message_channels: Sequence[str] = ()
    """The channels beside e-mail and SMS."""
    call_hosts: Sequence[str] | None = None
    """The hosts that `webhook` steps may call; nothing when any passes."""
    segments: Sequence[str] = ()
    """The sound segments of segments.yaml."""

    def names(self, kind: Kind, pipeline: str | None = None) -> Iterable[str] | None:
        """The known names of a kind; nothing when any name passes.

        Stages are those of the pipeline, or of all when none is given.
        """
        match kind:
            case Kind.EMAIL | Kind.SMS:
                return self.templates.names(kind.value)
            case Kind.CHANNEL:
                return [*MESSAGING, *self.message_channels]
            case Kind.FIELD:
                return [
                    field.name.removeprefix(CUSTOM)
                    for field in self.catalogue
                    if field.name.startswith(CUSTOM)
                ]
            case Kind.DATE:
                return [field.name for field in self.catalogue if has_days(field)]
            case Kind.SEGMENT:
                return self.segments
            case Kind.PIPELINE:
                return list(self.pipelines)
            case Kind.PLAN:
                return self.plans
            case Kind.STAGE:
                if pipeline is not None:
                    return self.pipelines.get(pipeline)
                return [stage for stages in self.pipelines.values() for stage in stages]
            case Kind.TOPIC:
                return self.topics
            # A message's template stands on its channel's shelf, which is named beside it.
            case Kind.CONDITION | Kind.EVENT | Kind.FILLED | Kind.HOLIDAY | Kind.MESSAGE:
                return None
