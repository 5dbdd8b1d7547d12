"""How fast a server may be asked: requests and tokens a minute, and the pauses that it asks for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from core.model_set import ServerSpec

Sleep = Callable[[float], Awaitable[None]]


class Pace:
    """Gives each request its turn; used by the tasks of one event loop."""

    def __init__(self, server: ServerSpec, sleep: Sleep = asyncio.sleep) -> None:
        """Take the limits; ``sleep`` is how waiting is done."""
        self._requests, self._tokens, self._sleep = server.requests_per_minute, server.tokens_per_minute, sleep
        self._free_at = 0.0

    async def turn(self, tokens: int) -> None:
        """Wait until a request of about so many tokens may go out; requests are spread evenly, without bursts."""
        now = asyncio.get_running_loop().time()
        start = max(now, self._free_at)
        spans = [60 / self._requests if self._requests else 0.0, 60 * tokens / self._tokens if self._tokens else 0.0]
        self._free_at = start + max(spans)
        if start > now:
            await self._sleep(start - now)

    def pause(self, seconds: float) -> None:
        """Let nothing out for so long: the server asked for it."""
        self._free_at = max(self._free_at, asyncio.get_running_loop().time() + seconds)
