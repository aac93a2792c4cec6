"""Just enough of a websocket client (RFC 6455) to be a reader's open page, or a nuisance."""

import asyncio
import json
import os
import struct
from typing import Any, Self

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PATIENCE_SECONDS = 60


class Refused(Exception):
    """The server did not take the handshake; the status line is the argument."""


class Closed(Exception):
    """The server closed the connection; the code is the argument, None when there was none."""


class WebSocket:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, path: str, **headers: str) -> Self:
        """Connect; header names are written with underscores. Raises Refused."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        host = f"127.0.0.1:{port}"
        sent = {
            "Host": host,
            "Origin": f"http://{host}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if " 101 " not in head.splitlines()[0]:
            writer.close()
            raise Refused(head.splitlines()[0])
        return cls(reader, writer)

    async def hear(self, seconds: float = PATIENCE_SECONDS) -> Any:
        """Return the next message, read as JSON. Raises Closed or TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                try:
                    kind, length = await self.reader.readexactly(2)
                    if length == 126:
                        (length,) = struct.unpack("!H", await self.reader.readexactly(2))
                    payload = await self.reader.readexactly(length)
                except (asyncio.IncompleteReadError, ConnectionError):
                    raise Closed(None) from None
                if kind & 15 == CLOSE:
                    raise Closed(struct.unpack("!H", payload[:2])[0] if payload else None)
                if kind & 15 == PING:
                    self.say(payload, PONG)
                elif kind & 15 == TEXT:
                    return json.loads(payload)

    def say(self, payload: bytes, kind: int = TEXT) -> None:
        mask = os.urandom(4)
        if len(payload) < 126:
            head = struct.pack("!BB", 0x80 | kind, 0x80 | len(payload))
        elif len(payload) < 1 << 16:
            head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, len(payload))
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 0x80 | 127, len(payload))
        masked = int.from_bytes(payload) ^ int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)])
        self.writer.write(head + mask + masked.to_bytes(len(payload)))

    def close(self) -> None:
        self.writer.transport.abort()
