"""A campaign's versions: one per wording, whoever sees it first."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from making import NOW

from crm_store.campaigns import VersionRow, keep_version
from crm_store.database import Store


def keep(store: Store, digest: str) -> VersionRow:
    with store.write() as connection:
        return keep_version(
            connection, campaign="renewal", digest=digest, definition={"is": digest}, now=NOW
        )


def test_a_version_is_kept_once_and_a_changed_file_is_the_next(store: Store) -> None:
    first, again, changed = keep(store, "a"), keep(store, "a"), keep(store, "b")
    assert first == again
    assert [(one.version, one.definition) for one in (first, changed)] == [
        (1, {"is": "a"}),
        (2, {"is": "b"}),
    ]


def test_schedulers_that_meet_new_files_at_the_same_moment_agree(store: Store) -> None:
    together = Barrier(6)

    def meet(digest: str) -> VersionRow:
        together.wait()
        return keep(store, digest)

    with ThreadPoolExecutor(6) as schedulers:
        kept = list(schedulers.map(meet, ["a", "a", "a", "b", "b", "b"]))
    assert kept[0] == kept[1] == kept[2]
    assert kept[3] == kept[4] == kept[5]
    assert {kept[0].version, kept[3].version} == {1, 2}
