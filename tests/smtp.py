"""A mail server for the tests that speaks SMTP (RFC 5321) over a real socket, and misbehaves on demand."""

import contextlib
import email
import email.policy
import socket
import socketserver
import threading
from email.message import EmailMessage
from types import TracebackType
from typing import Self, cast


class _Handler(socketserver.StreamRequestHandler):
    server: "SMTPServer"

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def hang(self) -> None:
        self.server.hanging.set()
        self.server.released.wait(60)

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.talk()

    def talk(self) -> None:
        if self.server.hangs_at == "greeting":
            return self.hang()
        self.say("220 test ESMTP")
        to: list[str] = []
        while line := self.rfile.readline():
            verb = line.strip().upper()
            if verb.startswith(b"EHLO"):
                self.say("250 test")
            elif verb.startswith(b"RCPT"):
                answer = self.server.next_answer()
                to.append(line.decode().partition("<")[2].partition(">")[0])
                self.say(answer)
            elif verb == b"DATA":
                self.say("354 go on")
                data = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    data += part.removeprefix(b".") if part.startswith(b"..") else part
                self.server.keep(to, data)
                if self.server.hangs_at == "end":
                    return self.hang()
                if self.server.hangs_at == "cut":
                    return None
                self.say("250 taken")
            elif verb == b"QUIT":
                self.say("221 bye")
                return None
            else:
                self.say("250 ok")
        return None


class SMTPServer(socketserver.ThreadingTCPServer):
    """Keeps what it is sent in `letters`, each with `.to`, the addresses of its envelope.

    `answers`: what the next recipients are answered, then "250 ok"; `hangs_at`: "greeting" (says nothing at all), "end"
    (has the letter and never says so) or "cut" (has it and hangs up).
    """

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = cast(int, self.server_address[1])
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.letters: list[EmailMessage] = []
        self.answers: list[str] = []
        self.hangs_at = ""
        self.hanging, self.released = threading.Event(), threading.Event()

    def next_answer(self) -> str:
        return self.answers.pop(0) if self.answers else "250 ok"

    def keep(self, to: list[str], data: bytes) -> None:
        letter = cast(EmailMessage, email.message_from_bytes(data, policy=email.policy.default))
        letter.to = to
        letter.raw = data
        self.letters.append(letter)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
