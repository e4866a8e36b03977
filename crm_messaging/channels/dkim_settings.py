"""How to sign e-mails: the `dkim:` block of club.yaml."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class DkimSettings(BaseModel):
    """The signature that tells receivers the e-mails are the club's own (RFC 6376).

    The public key stands in the DNS at `<selector>._domainkey.<domain>`; the private one stays in
    a file of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str = Field(
        pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        description="The domain that signs: club.example",
    )
    selector: str = Field(
        pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$", description="The key's name in the DNS."
    )
    key_file: Path = Field(
        description="PEM file of the private key, RSA or Ed25519; relative to club.yaml."
    )
