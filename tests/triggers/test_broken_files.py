"""Ten broken campaign files. Each gives one line: the file, the place, what, and the fix."""

from pathlib import Path

import pytest

from triggers.check import check_campaigns
from triggers.vocabulary import Vocabulary

BROKEN = Path(__file__).parent / "broken"

LINES = [
    "broken/alias.yaml:8:5: [alias] aliases such as `&first` are not read; "
    "write the value out in each place",
    "broken/bad_offset.yaml:9:9: [bad_offset] `-30 days` is not an offset; write `-30d`",
    "broken/duplicate_key.yaml:11:5: [duplicate_key] the key `at` is there twice; "
    "keep one of the two; the other is in line 9",
    "broken/key_typo.yaml:3:1: [key_typo] unknown key `toppic`; did you mean `topic`?",
    "broken/missing_language.yaml:10:10: [missing_language] "
    "`come_again` is missing in language ru; write templates/ru/sms/come_again.txt",
    "broken/unknown_field.yaml:7:38: [unknown_field] unknown field `visits.last_90`; "
    "did you mean `visits.last_90d`?",
    "broken/unknown_plan.yaml:6:11: [unknown_plan] unknown plan `anual`; did you mean `annual`?",
    "broken/unknown_template.yaml:10:12: [unknown_template] unknown email template `headsup`; "
    "did you mean `heads_up`? Else write templates/en/email/headsup.txt",
    "templates/en/email/misspelt.txt:2:14: [unknown_variable] unknown field `membership.plann`; "
    "did you mean `membership.plan`?",
    "broken/unknown_zone.yaml:9:28: [unknown_zone] unknown time zone `Asia/Kolkatta`; "
    "did you mean `Asia/Kolkata`?",
]


@pytest.mark.parametrize("line", LINES)
def test_the_line_is_told(line: str, vocabulary: Vocabulary) -> None:
    told = [str(one) for file in check_campaigns(BROKEN, vocabulary) for one in file.problems]
    assert line in told


def test_each_file_gives_one_line_and_does_not_run(vocabulary: Vocabulary) -> None:
    checked = check_campaigns(BROKEN, vocabulary)
    assert [len(file.problems) for file in checked] == [1] * 10
    assert all(file.definition is None for file in checked)
