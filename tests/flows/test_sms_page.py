"""docs/sms.md says what is so: its settings can be used, its words are those that are heard."""

import re
from pathlib import Path

import pytest

from crm_messaging.channels.gateway_settings import PLACEHOLDERS
from crm_messaging.channels.settings import ChannelsSettings
from crm_messaging.front_matter import read_sms_head
from crm_messaging.reply_words import WORDS, wish_of
from triggers.yaml_source import parse_yaml

PAGE = (Path(__file__).parents[2] / "docs" / "sms.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_settings_can_be_used(example: str) -> None:
    source = parse_yaml(example, "club.yaml")
    assert source.problems == []
    assert ChannelsSettings.model_validate(source.data["channels"])


def test_the_table_of_words_is_the_one_that_is_heard() -> None:
    rows = dict(re.findall(r"^\| (stop|start|help) \| (.*) \|$", PAGE, re.MULTILINE))
    assert rows == {str(wish): ", ".join(words) for wish, words in WORDS.items()}


def test_what_the_page_quotes_is_heard_as_it_says() -> None:
    for quoted in ("“S.T.O.P!”", "please stop", "please don't text me any more",
                   "मैसेज मत भेजो", "не пишите мне больше"):  # fmt: skip
        assert quoted in PAGE
        assert wish_of(quoted) == "stop"
    assert wish_of("can you cancel my class on Friday") is None


def test_every_placeholder_is_in_the_table() -> None:
    told = re.findall(r"`\{(\w+)\}`", PAGE.partition("| placeholder |")[2].partition("\n\n")[0])
    assert sorted(told) == sorted(PLACEHOLDERS)


def test_the_head_of_a_template_is_one() -> None:
    [example] = re.findall(r"```\n(---\n.*?)```", PAGE, re.DOTALL)
    head = read_sms_head(example)
    assert head.dlt is not None
    assert (head.dlt.id, head.dlt.kind) == ("1107161234567890123", "service")
    assert head.dlt.text.count("{#var#}") == 2
