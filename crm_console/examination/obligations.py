"""What a club owes those it writes to: who it is, where, and a way to say no.

A postal address and a way out are asked for by CAN-SPAM (16 CFR 316), by mail providers, and by
anybody's sense of manners. In `mode: live` what is missing is an error; before, a warning.
"""

from collections.abc import Iterator, Sequence

from crm_messaging.message_fields import UNSUBSCRIBE_URL
from flows.project import Project
from triggers.check import CheckedFile
from triggers.problems import Problem, Severity
from triggers.yaml_source import read_yaml

_EXAMPLE = ".example"


def obligations(project: Project, files: Sequence[CheckedFile]) -> Iterator[Problem]:
    """What is missing, in club.yaml and in the templates of marketing campaigns."""
    severity: Severity = "error" if project.settings.mode == "live" else "warning"
    if project.settings.mode == "live":
        yield from _in_settings(project)
    seen = set()
    for file in files:
        if file.definition is None or file.definition.topic in project.settings.transactional:
            continue
        for act in file.definition.acts():
            action = act.action
            if not action.writes or action.channel != "email" or action.template in seen:
                continue
            seen.add(action.template)
            fields = project.library.fields("email", action.template)
            # A template that cannot be read at all has problems of its own.
            if fields and UNSUBSCRIBE_URL not in fields:
                name = file.path.relative_to(project.folder).as_posix()
                yield Problem(
                    name,
                    1,
                    1,
                    f"the e-mail `{action.template}` has no link to unsubscribe",
                    f"write {{{{ {UNSUBSCRIBE_URL} }}}} into its layout, or make the topic"
                    " `transactional` in club.yaml",
                    campaign=file.name,
                    severity=severity,
                )


def _in_settings(project: Project) -> Iterator[Problem]:
    settings = project.settings
    source = read_yaml(project.folder / "club.yaml", shown_as="club.yaml")
    if not settings.club.address.strip():
        line, column = source.position(("club",), key=True)
        yield Problem(
            "club.yaml",
            line,
            column,
            "there is no postal address, and every mail to many has to name one",
            "add `address:` below `club:`",
        )
    url = settings.public.url
    if not url.startswith("https://") or url.endswith(_EXAMPLE):
        there = ("public",) if isinstance(source.data, dict) and "public" in source.data else ()
        line, column = source.position(there, key=True)
        yield Problem(
            "club.yaml",
            line,
            column,
            f"links in messages would begin with {url}, which no customer can open safely",
            "set `public: {base_url: https://…}` to where the internet reaches the public pages",
        )
