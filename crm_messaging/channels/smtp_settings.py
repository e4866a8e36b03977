"""How to reach the club's outgoing mail server: the `smtp:` block of club.yaml."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class SmtpSettings(BaseModel):
    """Where the server is, how to be let in, and how hard to use it. Times are in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(description="Name or IP address of the mail server.")
    port: int = Field(587, ge=1, le=65535, description="587 for starttls, 465 for implicit.")
    tls: Literal["none", "starttls", "implicit"] = Field(
        "starttls", description="Encryption: upgraded after the greeting, from the start, or none."
    )
    verify: bool = Field(True, description="Check the server's certificate.")
    ca_file: Path | None = Field(
        None, description="PEM file of the authority that signed the server's certificate."
    )
    username: str | None = Field(None, description="Log in as this user.")
    password: SecretStr | None = Field(None, description="Comes from the environment.")
    sessions: int = Field(16, ge=1, le=1000, description="Connections at the same time.")
    messages_per_connection: int = Field(
        1000, ge=1, description="After so many messages a connection is replaced."
    )
    connect_timeout: float = Field(30, gt=0, description="Wait for a connection and a login.")
    # RFC 5321 §4.5.3.2: 5 minutes for MAIL and RCPT, 10 for the reply to the final dot.
    reply_timeout: float = Field(300, gt=0, description="Wait for the reply to a command.")
    final_reply_timeout: float = Field(600, gt=0, description="Wait for the reply to a message.")
