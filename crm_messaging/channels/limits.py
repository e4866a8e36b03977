"""How fast a channel may be used: the `limits:` block of club.yaml."""

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field, field_validator

LEAST = 0.01
"""One message in four days: less is a mistake."""


class Rate(BaseModel):
    """At most so many messages, spread evenly. Of several figures the slowest holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_second: float | None = Field(None, ge=LEAST, description="At most so many in a second.")
    per_minute: float | None = Field(None, ge=LEAST, description="At most so many in a minute.")
    per_hour: float | None = Field(None, ge=LEAST, description="At most so many in an hour.")

    @property
    def interval(self) -> float:
        """Seconds from one message to the next; 0 where nothing limits them."""
        figures = ((self.per_second, 1), (self.per_minute, 60), (self.per_hour, 3600))
        return max((seconds / figure for figure, seconds in figures if figure), default=0.0)


class ProviderLimits(Rate):
    """The limits of one mail provider, which may serve several domains."""

    domains: tuple[str, ...] = Field(
        min_length=1, description="What stands behind the @: [gmail.com, googlemail.com]."
    )
    at_once: int | None = Field(
        None, ge=1, description="Messages on their way to it at the same time."
    )

    @field_validator("domains")
    @classmethod
    def _bare(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        for domain in domains:
            if "@" in domain or "." not in domain.strip(".") or " " in domain:
                raise ValueError(f"`{domain}` is no domain: write it as gmail.com")
        return tuple(domain.lower() for domain in domains)


class EmailLimits(Rate):
    """The limits of all e-mail together, and of single providers by a name of your choice."""

    providers: dict[str, ProviderLimits] = Field(default_factory=dict)

    @field_validator("providers")
    @classmethod
    def _each_domain_once(cls, providers: dict[str, ProviderLimits]) -> dict[str, ProviderLimits]:
        named = Counter(domain for one in providers.values() for domain in one.domains)
        for domain, times in named.items():
            if times > 1:
                raise ValueError(f"`{domain}` is named twice: a domain has one provider")
        return providers
