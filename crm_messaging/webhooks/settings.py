"""Which providers may report: the `webhooks:` block of club.yaml. Secrets come from the
environment."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SesWebhook(_Block):
    """Amazon SES reports through Amazon SNS, which signs."""

    topics: tuple[str, ...] = Field(
        min_length=1, description="ARN of each SNS topic; anybody may have a topic of his own."
    )

    @field_validator("topics")
    @classmethod
    def _are_arns(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        for topic in topics:
            if not topic.startswith("arn:aws") or topic.count(":") != 5:
                raise ValueError("write a topic as arn:aws:sns:eu-west-1:123456789012:ses-reports")
        return topics


class SendgridWebhook(_Block):
    """SendGrid signs its event webhook; the key with which to check that is public."""

    public_key: str = Field(description="The verification key of the signed event webhook.")

    @field_validator("public_key")
    @classmethod
    def _is_a_key(cls, written: str) -> str:
        # Loads a library of some size: only a club with this block waits for it.
        from crm_messaging.webhooks.keys import p256_key

        p256_key(written)
        return written


class TokenWebhook(_Block):
    """The provider sends a token that we have given it."""

    token: SecretStr | None = Field(None, description="Comes from the environment.")


class SecretWebhook(_Block):
    """The provider signs with a secret that it has given us."""

    secret: SecretStr | None = Field(None, description="Comes from the environment.")


class WebhooksSettings(_Block):
    """Each provider whose reports are taken; the others' are refused."""

    ses: SesWebhook | None = None
    sendgrid: SendgridWebhook | None = None
    postmark: TokenWebhook | None = None
    mailgun: SecretWebhook | None = None
    brevo: TokenWebhook | None = None
    unisender_go: SecretWebhook | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The names of the providers that are open."""
        return tuple(name for name, block in self if block is not None)

    @model_validator(mode="before")
    @classmethod
    def _named_is_open(cls, written: Any) -> Any:
        """`postmark:` with nothing behind it names a provider, as `postmark: {}` does."""
        if not isinstance(written, dict):
            return written
        return {name: {} if block is None else block for name, block in written.items()}
