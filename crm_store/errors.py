"""The error family. Every error a person can meet says what is wrong and how to mend it."""


class SamparkError(Exception):
    """Something a person can mend: `reason` says what and where, `instruction` how."""

    exit_code = 1

    def __init__(self, reason: str, instruction: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.instruction = instruction

    def __str__(self) -> str:
        return f"{self.reason} {self.instruction}".strip()


class UsageError(SamparkError):
    """The command was called in a way it cannot serve."""

    exit_code = 2


class EnvironmentUnready(SamparkError):
    """A database, mail server or Prefect server is missing or unreachable."""

    exit_code = 3


class UnknownName(SamparkError):
    """A customer, campaign or step that is not there."""
