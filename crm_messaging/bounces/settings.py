"""Where bounces and complaints come in: the `bounces:` block of club.yaml."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class BouncesSettings(BaseModel):
    """A mailbox that nobody else reads: a maildir on this machine, or one on an IMAP server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    maildir: Path | None = Field(None, description="A maildir; relative to the club's folder.")
    host: str | None = Field(None, description="Name or IP address of an IMAP server.")
    port: int = Field(993, ge=1, le=65535, description="993 for implicit, 143 for starttls.")
    tls: Literal["starttls", "implicit"] = Field(
        "implicit", description="Encryption: from the start, or upgraded after the greeting."
    )
    verify: bool = Field(True, description="Check the server's certificate.")
    ca_file: Path | None = Field(
        None, description="PEM file of the authority that signed the server's certificate."
    )
    username: str | None = Field(None, description="Log in as this user.")
    password: SecretStr | None = Field(None, description="Comes from the environment.")
    folder: str = Field("INBOX", pattern=r"^[ -~]+$", description="The folder on the server.")

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.maildir is None) == (self.host is None):
            raise ValueError("name either a `maildir` or the `host` of an IMAP server")
        if self.host and not self.username:
            raise ValueError("`host` needs a `username`")
        return self
