"""A small IMAP server over a real socket (RFC 3501): one user, one folder, flags that stay."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

USER, PASSWORD = "bounces", 's3 "cret'
FOLDER = "Back again"


@dataclass
class ImapServer:
    """What it holds, and what was asked of it."""

    context: ssl.SSLContext
    mails: dict[int, bytes]
    tls: str = "implicit"
    keeps_keywords: bool = True
    hangs_up_at: str = ""
    """A command at which it breaks the connection."""
    flags: dict[int, set[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def serve(self, client: socket.socket) -> None:
        """Talk to one client until either has enough."""
        with ExitStack() as opened:

            def stream_to(connection: socket.socket, *, encrypted: bool) -> BinaryIO:
                if encrypted:
                    connection = self.context.wrap_socket(connection, server_side=True)
                opened.callback(connection.close)
                stream: Any = connection.makefile("rwb", buffering=0)
                opened.callback(stream.close)
                return cast("BinaryIO", stream)

            opened.callback(client.close)
            stream = stream_to(client, encrypted=self.tls == "implicit")
            say(stream, "* OK ready")
            while line := stream.readline().decode().strip():
                tag, command = line.split(" ", 1)
                self.asked.append(command)
                if self.hangs_up_at and self.hangs_up_at in command:
                    return
                if command == "STARTTLS":
                    say(stream, f"{tag} OK begin")
                    stream = stream_to(client, encrypted=True)
                    continue
                say(stream, f"{tag} {self._answer(stream, command)}")
                if command == "LOGOUT":
                    return

    def _answer(self, stream: BinaryIO, command: str) -> str:
        word, _, rest = command.removeprefix("UID ").partition(" ")
        if word == "CAPABILITY":
            more = " STARTTLS" if self.tls == "starttls" else ""
            say(stream, f"* CAPABILITY IMAP4rev1{more}")
        elif word == "LOGIN":
            quoted = PASSWORD.replace('"', '\\"')
            return "OK in" if rest.replace('"bounces"', USER) == f'{USER} "{quoted}"' else "NO out"
        elif word == "SELECT":
            if rest != f'"{FOLDER}"':
                return "NO such folder"
            keywords = " \\*" if self.keeps_keywords else ""
            say(stream, f"* OK [PERMANENTFLAGS (\\Seen \\Deleted{keywords})] so")
        elif word == "SEARCH":
            unmarked = "SamparkRead" if "UNKEYWORD" in rest else "\\Seen"
            found = [str(uid) for uid in self.mails if unmarked not in self.flags.get(uid, ())]
            say(stream, " ".join(["* SEARCH", *found]))
        elif word == "FETCH":
            self._fetch(stream, rest)
        elif word == "STORE":
            uids, _, flags = rest.partition(" +FLAGS.SILENT ")
            for uid in map(int, uids.split(",")):
                self.flags.setdefault(uid, set()).update(flags.strip("()").split())
        return "OK done"

    def _fetch(self, stream: BinaryIO, what: str) -> None:
        asked = re.fullmatch(r"(\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", what)
        assert asked, what
        uid, most = int(asked[1]), int(asked[2])
        if uid in self.mails:
            body = self.mails[uid][:most]
            stream.write(b"* 1 FETCH (UID %d BODY[]<0> {%d}\r\n%s)\r\n" % (uid, len(body), body))


def say(stream: BinaryIO, line: str) -> None:
    """One line of the server's."""
    stream.write(line.encode() + b"\r\n")


@contextmanager
def imap_server(server: ImapServer) -> Iterator[int]:
    """It serves one client after the other on this port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return  # closed
                try:
                    server.serve(client)
                except OSError:
                    continue  # the client has gone

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def server_of(
    certificate: tuple[Path, Path], *raws: bytes, tls: str = "implicit", **more: object
) -> ImapServer:
    """A server that holds these mails."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return ImapServer(context, dict(enumerate(raws, start=7)), tls, **more)  # type: ignore[arg-type]
