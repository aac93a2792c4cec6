"""wrk at a fleet's door: connections that stay open and are never idle."""

import re
import signal
import subprocess
from types import TracebackType
from typing import Self

from tests.services import BROWSER, program

LONGEST_SECONDS = 120


class Wrk:
    """Asks for one page all the time, over connections kept open, until the block ends; then says how it went.

    `answered` is how many requests were, `refused` how many of them with 400 or more, `broken` the connections that broke,
    by what was being done: connect, read, write, timeout. It takes what processor time others leave.
    """

    def __init__(self, url: str, connections: int, **headers: str) -> None:
        named = {"User-Agent": BROWSER, **headers}
        self._command = [
            *("nice", "-n19", program("wrk"), "-t1", f"-c{connections}", f"-d{LONGEST_SECONDS}s", "--timeout=10s"),
            *(word for name, value in named.items() for word in ("-H", f"{name}: {value}")),
            url,
        ]
        self.connections, self.answered, self.refused = connections, 0, 0
        self.broken: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self.said, _nothing = self._process.communicate(timeout=30)
        finally:
            self._process.kill()
        if kind is None:
            answered = re.search(r"(\d+) requests in ", self.said)
            assert answered, self.said
            self.answered = int(answered[1])
            refused = re.search(r"Non-2xx or 3xx responses: (\d+)", self.said)
            self.refused = int(refused[1]) if refused else 0
            broken = re.search(r"Socket errors: (.*)", self.said)
            self.broken = {name: int(many) for name, many in re.findall(r"(\w+) (\d+)", broken[1] if broken else "")}
