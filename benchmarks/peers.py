"""Other ways to send the same letter, beside ours in the same round, into the same sink.

`django-post_office` is put into a virtual environment of its own, which is thrown away; it is no
dependency. The plain loop opens a connection and commits a row for each message. All get the
English letter of `lead/welcome` with the name left open; ours goes out in three languages.

    python benchmarks/peers.py [--messages 5000] [--rounds 3]
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import venv
from email import message_from_bytes, policy
from pathlib import Path

from club import accepted_by, at_work, first_letters, make_club, queued_club
from databases import Databases
from machine import load, median
from sink import sink, source, taken
from workers import Way, workers

PEERS = Path(__file__).parent / "peer_programs"
POST_OFFICE = "django-post_office>=3.12,<4"
OURS, LOOP, SOURCE = "ours", "plain loop", "smtp-source"


def main() -> None:
    """Run the rounds and print each one's messages a second, and the ratio to ours."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    rounds: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as room:
        python = _with_post_office(Path(room))
        for number in range(chosen.rounds):
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(one_round(Path(folder), python, chosen.messages))
            figures = (f"{name} {rate:,.0f}/s" for name, rate in rounds[-1].items())
            print(f"round {number + 1}: {', '.join(figures)}", flush=True)
    print(f"\nmedian (lowest to highest) of {len(rounds)} rounds; {load()}")
    for name in rounds[0]:
        rates = median([one[name] for one in rounds])
        print(
            f"{name:20} {rates:>26}/s   x ours {median([o[name] / o[OURS] for o in rounds], '.3f')}"
        )


def one_round(folder: Path, python: str, messages: int) -> dict[str, float]:
    """Messages a second of everyone."""
    log = folder / "sink.log"
    letter = folder / "letter.json"
    with sink(log) as port:
        make_club(folder, database=Databases(None).new(folder), port=port, sessions=16)
        size = asyncio.run(queued_club(folder, messages))
        letter.write_text(json.dumps(asyncio.run(_letter(folder))), encoding="utf-8")
        rates = {SOURCE: messages / source(port, messages=messages, size=size, sessions=16)}
        with workers(folder, 1, Way()) as waiting:
            already = taken(log)
            rates[OURS] = messages / waiting.deliver().seconds
        if not asyncio.run(accepted_by(folder)) == taken(log) - already == messages:
            raise SystemExit("the ledger and the sink do not agree about ours")
        for name, program, by in (
            (LOOP, "plain_loop.py", sys.executable),
            ("django-post_office", "django_post_office.py", python),
        ):
            # The slow ones get fewer, so that a round ends.
            few = max(messages // 5, 200)
            already = taken(log)
            command = [by, str(PEERS / program), str(port), str(few), str(letter)]
            said = subprocess.run(
                [*command, str(folder / f"{program}.db")], check=True, stdout=subprocess.PIPE
            )
            done = json.loads(said.stdout)
            if not done["recorded"] == taken(log) - already == few:
                raise SystemExit(f"{name} recorded {done['recorded']} of {few}")
            rates[name] = few / done["seconds"]
    return rates


async def _letter(folder: Path) -> dict[str, str]:
    """Our English letter, as a template with the name left open."""
    async with at_work(folder) as (engine, campaign):
        for one in first_letters(engine, campaign):
            message = message_from_bytes(bytes(one.letter), policy=policy.default)
            text, html = (
                part.get_content()
                for part in (message.get_body(("plain",)), message.get_body(("html",)))
                if part is not None
            )
            name = message["To"].addresses[0].display_name.removesuffix(" Verma")
            if name in text and name.startswith("Asha"):
                return {
                    "subject": str(message["Subject"]),
                    "text": text.replace(name, "{{ name }}"),
                    "html": html.replace(name, "{{ name }}"),
                }
    raise SystemExit("no English letter among the first")


def _with_post_office(room: Path) -> str:
    """The Python of a fresh environment that has django-post_office."""
    venv.create(room / "environment", with_pip=True)
    python = str(room / "environment" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", POST_OFFICE], check=True)
    return python


if __name__ == "__main__":
    main()
