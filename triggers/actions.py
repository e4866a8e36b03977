"""What a step does: a message, a task for staff, a change, a call to another system."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, StrictInt, StrictStr, model_validator

from triggers.names import (
    ChannelName,
    CouponPrefix,
    EmailTemplate,
    FieldKey,
    FilledText,
    MessageTemplate,
    PipelineName,
    QueueName,
    SmsTemplate,
    StageName,
    TagName,
    WebAddress,
)
from triggers.offsets import Duration
from triggers.strict_model import StrictModel, wrong

MESSAGE_ACTIONS = ("email", "sms", "message")
"""The actions that write to the customer."""
OTHER_ACTIONS = ("task", "webhook", "update")
ACTIONS = (*MESSAGE_ACTIONS, *OTHER_ACTIONS)

MESSAGING = frozenset({"email", "sms"})
"""The channels every club may have; those of `message:` come from club.yaml."""


class Message(StrictModel):
    """A message in a channel that club.yaml describes, such as WhatsApp through a provider."""

    channel: ChannelName = Field(examples=["whatsapp"])
    """The channel, as `channels: messages:` in club.yaml names it."""
    template: MessageTemplate = Field(examples=["nps/ask"])
    """The template to send."""


class Task(StrictModel):
    """Something for the club's staff to do about the customer."""

    queue: QueueName = Field(examples=["front_desk"])
    """Whose work it is."""
    title: FilledText = Field(examples=["Call {{ customer.first_name }}"])
    """What is to be done; fields may stand in it."""
    due: Duration
    """How long there is for it, such as `4h`."""


class Webhook(StrictModel):
    """A POST of JSON to another system, signed with the club's secret.

    Only hosts that club.yaml allows are called, and never an address of a private network.
    """

    url: WebAddress = Field(examples=["https://crm.example/hooks/renewal"])
    """Where to; always https."""
    data: Mapping[StrictStr, FilledText] = Field(
        default_factory=dict, examples=[{"plan": "{{ membership.plan }}"}]
    )
    """What is told beside the ids; fields may stand in the values."""


class StageMove(StrictModel):
    """A place in a pipeline."""

    pipeline: PipelineName = Field(examples=["sales"])
    """The pipeline, as club.yaml names it."""
    to: StageName = Field(examples=["lost"])
    """The stage the customer is moved to."""


class Update(StrictModel):
    """A change of what the club knows of the customer."""

    stage: StageMove | None = None
    """The customer is moved in a pipeline; campaigns that wait for that start."""
    add_tags: tuple[TagName, ...] = Field(default=(), examples=[["renewed-online"]])
    """Tags the customer gets."""
    remove_tags: tuple[TagName, ...] = Field(default=(), examples=[["trial"]])
    """Tags the customer loses."""
    fields: Mapping[FieldKey, Any] = Field(
        default_factory=dict, examples=[{"favourite_class": "yoga"}]
    )
    """Fields of the club's own, and their new values; an empty value clears one."""
    score: StrictInt = Field(default=0, examples=[10])
    """Points that are added to, or with a minus taken from, the lead score."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_dump(exclude_defaults=True):
            wrong(
                "the update changes nothing",
                "add `stage`, `add_tags`, `remove_tags`, `fields` or `score`",
            )
        return self


class Action(StrictModel):
    """Exactly one thing that is done, and what belongs to it."""

    email: EmailTemplate | None = Field(default=None, examples=["renewal/heads_up"])
    """The e-mail template to send."""
    sms: SmsTemplate | None = Field(default=None, examples=["renewal/last_day"])
    """The SMS template to send."""
    message: Message | None = None
    """The message to send in another channel."""
    task: Task | None = None
    """A task for the staff."""
    webhook: Webhook | None = None
    """A call to another system."""
    update: Update | None = None
    """A change of what is known of the customer."""
    fallback: tuple[ChannelName, ...] = Field(default=(), examples=[["email"]])
    """Channels to try, in this order, when the customer cannot be written to in the first one.

    The template has the same name there.
    """
    coupon: CouponPrefix | None = Field(default=None, examples=["RENEW10"])
    """How the customer's own code begins: in the template `{{ coupon.code }}` is `RENEW10-7F3K9Q`.
    """

    kinds: ClassVar[tuple[str, ...]] = ACTIONS
    """The keys of which exactly one says what is done."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        found = [kind for kind in self.kinds if getattr(self, kind)]
        if not found:
            wrong(f"{self._shown()} does nothing", f"add one of {_listed(self.kinds)}")
        if len(found) > 1:
            fix = "keep one of them, or make two steps of it"
            wrong(f"{self._shown()} has both `{found[0]}` and `{found[1]}`", fix, at=(found[1],))
        for key in ("fallback", "coupon"):
            if getattr(self, key) and found[0] not in MESSAGE_ACTIONS:
                what = f"`{key}` has no meaning beside `{found[0]}`"
                wrong(what, "it belongs to a message; leave it out", at=(key,))
        if self.fallback and (channel := self.channel) in self.fallback:
            at = ("fallback", self.fallback.index(channel))
            wrong(f"`{channel}` cannot stand in for itself", "name another channel", at=at)
        return self

    @property
    def channel(self) -> str:
        """The channel its touchpoint is recorded under: `email`, a club's own, or `task`."""
        if self.message is not None:
            return self.message.channel
        return next(kind for kind in ACTIONS if getattr(self, kind))

    @property
    def writes(self) -> bool:
        """Whether it is a message to the customer."""
        return any(getattr(self, kind) for kind in MESSAGE_ACTIONS)

    @property
    def is_ours(self) -> bool:
        """Whether it is done in our own store, at once: nothing has to leave."""
        return self.task is not None or self.update is not None

    @property
    def template(self) -> str:
        """The name of its message's template; empty when it sends none."""
        if self.message is not None:
            return self.message.template
        return self.email or self.sms or ""

    def _shown(self) -> str:
        return "it"


def _listed(keys: tuple[str, ...]) -> str:
    *first, last = (f"`{key}`" for key in keys)
    return f"{', '.join(first)} or {last}"
