"""Which other systems campaigns may call: the `calls:` block of club.yaml."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class CallSettings(BaseModel):
    """`calls:` in club.yaml: the systems that `webhook` steps may call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = Field((), description="The hosts that may be called: [crm.example].")
    secret: SecretStr | None = Field(None, description="What calls are signed with.")
    timeout: float = Field(20.0, gt=0, description="Seconds to wait for an answer.")
    connections: int = Field(8, ge=1, le=64, description="Calls at the same time.")
