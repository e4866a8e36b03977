"""segments.yaml and scores.yaml: each mistake has its line, and what is sound stays in use."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from campaign_files import check_one, lines

from crm_store.catalogue.standard import SCORE
from triggers.schema import schemas
from triggers.scores import check_scores
from triggers.segments import check_segments
from triggers.vocabulary import Vocabulary

GOOD = """\
segments:
  - name: regulars
    where: visits.last_30d >= 8
    description: Who trains twice a week
  - {name: hot, where: customer.score > 50}
"""


def segments(tmp_path: Path, vocabulary: Vocabulary, text: str) -> tuple[list[str], list[str]]:
    (tmp_path / "segments.yaml").write_text(text, encoding="utf-8")
    checked = check_segments(tmp_path, vocabulary)
    return [one.name for one in checked.sound], [str(one) for one in checked.problems]


def test_no_file_is_no_segment(tmp_path: Path, vocabulary: Vocabulary) -> None:
    assert check_segments(tmp_path, vocabulary).sound == ()
    assert check_scores(tmp_path, vocabulary).catalogue is vocabulary.catalogue


def test_sound_segments(tmp_path: Path, vocabulary: Vocabulary) -> None:
    assert segments(tmp_path, vocabulary, GOOD) == (["regulars", "hot"], [])


@pytest.mark.parametrize(
    ("changed", "sound", "line"),
    [
        (("visits.last_30d", "visits.last_30"), ["hot"], "3:12: unknown field `visits.last_30`"),
        (("visits.last_30d >= 8", "'\"a\" in customer.segments'"), ["hot"], "3:20: unknown field"),
        (("name: hot", "name: regulars"), [], "5:12: the segment `regulars` is there twice"),
        (("where: cust", "were: cust"), [], "5:17: unknown key `were`; did you mean `where`?"),
        (("regulars", "The regulars"), [], "2:11: `The regulars` cannot be a segment's name"),
        (("segments:", "segment:"), [], "1:1: unknown key `segment`; did you mean `segments`?"),
    ],
)
def test_a_mistake(
    changed: tuple[str, str], sound: list[str], line: str, tmp_path: Path, vocabulary: Vocabulary
) -> None:
    names, problems = segments(tmp_path, vocabulary, GOOD.replace(*changed))
    assert names == sound
    assert len(problems) == 1
    assert problems[0].startswith(f"segments.yaml:{line}")


def test_segments_on_one_line(tmp_path: Path, vocabulary: Vocabulary) -> None:
    text = (
        "segments: [{name: a, where: x}, {name: b, where: visits.total > 1}, {name: c, where: y}]\n"
    )
    names, problems = segments(tmp_path, vocabulary, text)
    assert (names, len(problems)) == (["b"], 2)


SCORES = """\
rules:
  - {event: visit_recorded, points: 5, within: 30d}
  - {where: customer.stage == "trial", points: 20}
"""


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (("points: 20", "points: 2000"), "3:48: `points` must be at most 1000"),
        (("event: visit_recorded, ", ""), "2:5: the rule says for what; add `event:` or `where:`"),
        (("stage ==", "score =="), "3:13: unknown field `customer.score`"),
        (('"trial"', '"trail"'), "3:31: unknown stage `trail`; did you mean `trial`?"),
        (("visit_recorded", "visit_recordd"), "2:13: no event is called `visit_recordd`"),
        (("within: 30d", "within: 30"), "2:48: `30` is not a duration"),
    ],
)
def test_half_a_score_is_none(
    changed: tuple[str, str], line: str, tmp_path: Path, vocabulary: Vocabulary
) -> None:
    (tmp_path / "scores.yaml").write_text(SCORES.replace(*changed), encoding="utf-8")
    checked = check_scores(tmp_path, vocabulary)
    assert str(checked.problems[0]).startswith(f"scores.yaml:{line}")
    assert len(checked.problems) == 1
    assert SCORE not in checked.catalogue


CAMPAIGN = """\
campaign: back
name: Back
topic: renewals
trigger: {type: segment_entered, segment: regular}
where: '"regulasr" in customer.segments'
steps: [{id: a, at: now, email: heads_up}]
"""


def test_a_campaign_names_segments(tmp_path: Path, vocabulary: Vocabulary) -> None:
    path = tmp_path / "back.yaml"
    path.write_text(CAMPAIGN, encoding="utf-8")
    known = replace(vocabulary, segments=["regulars", "hot"])
    assert lines(path, check_one(path, known).problems) == [
        "4:43: [back] unknown segment `regular`; did you mean `regulars`?",
        "5:9: [back] unknown segment `regulasr`; did you mean `regulars`?",
    ]
    # A club without segments has none of any name.
    assert len(check_one(path, vocabulary).problems) == 2


def test_ten_thousand_segments_are_refused_at_once(tmp_path: Path, vocabulary: Vocabulary) -> None:
    many = "segments:\n" + "".join(f"- {{name: s{i}, where: 'true'}}\n" for i in range(10_000))
    few = "segments:\n" + "".join(f"- {{name: s{i}, where: 'true'}}\n" for i in range(2_000))
    begin = time.perf_counter()
    names, problems = segments(tmp_path, vocabulary, many)
    assert names == [] and "segments.yaml:" in problems[0]
    names, problems = segments(tmp_path, vocabulary, few)
    assert names == []
    assert problems[0].startswith("segments.yaml:202:3: there are 2000 segments; keep at most 200")
    assert time.perf_counter() - begin < 1


def test_editors_complete_them(vocabulary: Vocabulary) -> None:
    made = schemas(replace(vocabulary, segments=["regulars"]))
    assert set(made) == {"campaign", "segments", "scores"}
    assert "visits.last_30d" in str(made["segments"]) and "visits.last_30d" in str(made["scores"])
    assert "'enum': ['regulars']" in str(made["campaign"])
    assert "customer.joined_on" in str(made["campaign"]["$defs"]["Date"]["properties"]["field"])
