"""What `doctor` says of an SMS provider that is set up halfway. Nobody is called."""

from pathlib import Path

import pytest
from public_site import public_project

from crm_console.examination.finding import Health
from crm_console.examination.ways_out import examine_ways_out

TWILIO = "provider: twilio, from: '+1', account: AC1"
KANNEL = "provider: kannel, username: lotus"
GATEWAY = "provider: gateway, url: 'https://gateway.example'"
KEY = "HOOK_SECRET=kkkkkkkkkkkkkkkk"

# what club.yaml says, and .env   how it is, and what is missing
PROVIDERS = [
    (TWILIO, [], Health.BROKEN, "SAMPARK_CHANNELS__SMS__TOKEN"),
    (TWILIO, ["TOKEN=t"], Health.OK, ""),
    (KANNEL, [KEY], Health.BROKEN, "SAMPARK_CHANNELS__SMS__PASSWORD"),
    (KANNEL, ["PASSWORD=p"], Health.NOTE, "SAMPARK_CHANNELS__SMS__HOOK_SECRET"),
    (KANNEL, ["PASSWORD=p", KEY], Health.OK, ""),
    (GATEWAY, ["SECRET=s"], Health.NOTE, "SAMPARK_CHANNELS__SMS__HOOK_SECRET"),
    (GATEWAY, ["SECRET=s", KEY], Health.OK, ""),
]


@pytest.mark.parametrize(("described", "secrets", "health", "mend"), PROVIDERS)
def test_a_provider_that_is_set_up_halfway(
    tmp_path: Path, described: str, secrets: list[str], health: Health, mend: str
) -> None:
    (tmp_path / ".env").write_text("\n".join(f"SAMPARK_CHANNELS__SMS__{one}" for one in secrets))
    (tmp_path / "campaigns").mkdir()
    project = public_project(tmp_path, f"mode: live\nchannels: {{sms: {{{described}}}}}\n")
    [found] = [one for one in examine_ways_out(project) if one.what == "SMS provider"]
    assert (found.health, mend in found.mend) == (health, True)
