"""How many are reading a post now, over all processes.

Each process reports how many pages of a post it holds open, and again every HEARTBEAT_SECONDS. In Redis a post has one
hash, `blog:readers:ID`, with a field for each process that has any (its number and when it was last heard of): memory
goes with posts being read times processes, not with readers, and none of it outlives the last heartbeat by more than
LOST_SECONDS. A process that was killed is left out of the sum from then on.
"""

import secrets
from functools import cache
from typing import Protocol

import redis

from apps.core.chunks import chunked
from apps.core.redis.clients import client

HEARTBEAT_SECONDS = 10
LOST_SECONDS = 25
AT_ONCE = 200  # reports in one round trip, which is bounded in time

# KEYS: the post's hash. ARGV: process, its open pages, seconds after which a process is lost. Returns the sum.
# By Redis's clock: those of the hosts may differ.
REPORT = """
local process, pages, seconds = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(redis.call('TIME')[1])
if pages > 0 then
  redis.call('HSET', KEYS[1], process, pages .. ' ' .. now)
  redis.call('EXPIRE', KEYS[1], seconds)
else
  redis.call('HDEL', KEYS[1], process)
end
local sum, all = 0, redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local number, heard_at = string.match(all[index + 1], '(%d+) (%d+)')
  if now - heard_at > seconds then redis.call('HDEL', KEYS[1], all[index]) else sum = sum + number end
end
return sum
"""


class Presence(Protocol):
    def report(self, pages: dict[int, int]) -> dict[int, int]:
        """Take this process's open pages by post, return everybody's. Raises RedisError when they can't be known."""


class LocalPresence:
    """The only process there is."""

    def report(self, pages: dict[int, int]) -> dict[int, int]:
        return dict(pages)


class RedisPresence:
    """One of the processes that share a Redis; a round trip for each 200 posts."""

    def __init__(self, connection: redis.Redis, seconds: int = LOST_SECONDS) -> None:
        self._redis = connection
        self._report = connection.register_script(REPORT)
        self._process = secrets.token_hex(8)
        self._seconds = seconds

    def report(self, pages: dict[int, int]) -> dict[int, int]:
        posts, sums = list(pages), list[int]()
        for some in chunked(posts, AT_ONCE):
            pipeline = self._redis.pipeline(transaction=False)
            for post in some:
                arguments: list[str | int] = [self._process, pages[post], self._seconds]
                self._report(keys=[f"blog:readers:{post}"], args=arguments, client=pipeline)
            sums += pipeline.execute()
        return dict(zip(posts, sums, strict=True))


@cache
def presence() -> Presence:
    """Return the process's own (after the fork: the name is one process's)."""
    connection = client()
    return LocalPresence() if connection is None else RedisPresence(connection)
