"""Chance that is the same whenever it is asked: who is held out, and which side of a split."""

from hashlib import blake2b

from triggers.definition import CampaignDefinition
from triggers.steps import Step

_STEPS = 2**32


def chance(*about: object) -> float:
    """A number in [0, 1), spread evenly over all there is to ask about, and always the same."""
    asked = "|".join(map(str, about)).encode()
    return int.from_bytes(blake2b(asked, digest_size=4).digest()) / _STEPS


def is_held_out(definition: CampaignDefinition, customer_id: int) -> bool:
    """Whether the customer belongs to the share that is never written to."""
    share = definition.holdout
    return share is not None and chance("holdout", definition.campaign, customer_id) < share


def side_of(definition: CampaignDefinition, step: Step, customer_id: int) -> str:
    """The side of the step's split that is the customer's.

    The sides stand in the order of the file: a change of weights moves as few as possible.
    """
    sides = step.split or {}
    drawn = chance("split", definition.campaign, step.id, customer_id)
    drawn *= sum(side.weight for side in sides.values())
    for name, side in sides.items():
        if drawn < side.weight:
            return name
        drawn -= side.weight
    raise ValueError(f"the step {step.id} has no split")
