"""The loop one writes first: render, EmailMessage, a connection each, a row each.

plain_loop.py PORT MESSAGES LETTER.json DATABASE      prints a JSON line
"""

import asyncio
import json
import sqlite3
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
from jinja2 import Environment


async def main(port: int, messages: int, parts: dict[str, str], database: str) -> None:
    """Send and record one after another."""
    environment = Environment(autoescape=True)
    subject, text, html = (
        environment.from_string(parts[part]) for part in ("subject", "text", "html")
    )
    ledger = sqlite3.connect(database, isolation_level=None)
    ledger.execute("PRAGMA journal_mode=WAL")
    ledger.execute("PRAGMA synchronous=FULL")
    ledger.execute("CREATE TABLE sent (address TEXT, reply TEXT)")
    size = 0
    started = time.perf_counter()
    for number in range(messages):
        name = f"Asha {number}"
        message = EmailMessage()
        message["From"] = "Lotus Fitness <hello@lotus.example>"
        message["To"] = f"{name} <lead{number}@example.org>"
        message["Subject"] = subject.render(name=name)
        message.set_content(text.render(name=name))
        message.add_alternative(html.render(name=name), subtype="html")
        size = size or len(message.as_bytes())
        _, reply = await aiosmtplib.send(message, hostname="127.0.0.1", port=port)
        ledger.execute("INSERT INTO sent VALUES (?, ?)", (f"lead{number}@example.org", reply))
    seconds = time.perf_counter() - started
    [recorded] = ledger.execute("SELECT count(*) FROM sent WHERE reply LIKE '2%'").fetchone()
    print(json.dumps({"seconds": seconds, "recorded": recorded, "size": size}))


if __name__ == "__main__":
    letter = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), letter, sys.argv[4]))
