"""One server over HTTP: bounded, timed, retried with patience, and never told the key of another.

What comes back is somebody else's: a body has a largest size, an answer a longest time whatever drips in, redirects are not
followed (the key would go along), and what a server says of an error is shortened and stripped of the key.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import httpx

from core.errors import RunError
from core.model_set import ServerSpec
from core.served.pace import Pace, Sleep

MAX_BODY_BYTES = 16 * 2**20
LONGEST_PAUSE = 120.0
"""Seconds: a server that asks for a longer pause stops the run, which can be resumed."""
LONGEST_BACKOFF = 30.0
_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_SHOWN = 200
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

_Read = TypeVar("_Read")


class Malformed(Exception):
    """An answer that is not what it should be; asking again may help."""


class Refused(Exception):
    """The server takes this one question for wrong, or gave nothing usable after all retries: it has no value."""

    def __init__(self, reason: str, *, is_question: bool = False) -> None:
        """Take the reason; ``is_question`` says that the question and not the server is what is wrong."""
        super().__init__(reason)
        self.is_question = is_question


class Client:
    """Asks one server, within an ``async with``."""

    def __init__(self, name: str, server: ServerSpec, key: str | None, sleep: Sleep = asyncio.sleep) -> None:
        """Take the server's name in the workspace, how it is reached, and its key."""
        self.name, self.server, self._key, self._sleep = name, server, key, sleep
        self.repeated: Counter[str] = Counter()
        """How often something was asked again, by reason."""
        self._pace = Pace(server, sleep)
        self._slots = asyncio.Semaphore(server.concurrency)
        self._chance = random.Random()

    async def __aenter__(self) -> Client:
        url = urlsplit(self.server.url)
        self._http = httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "identity"}
            | ({"Authorization": f"Bearer {self._key}"} if self._key else {}),
            timeout=self.server.timeout, follow_redirects=False, verify=url.scheme == "https",
            limits=httpx.Limits(max_connections=self.server.concurrency),
            # A proxy of the environment is for addresses outside this machine.
            trust_env=url.hostname not in _LOOPBACK,
        )  # fmt: skip
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, *, beside: bool = False) -> Any:
        """Return what a GET answers, or None where the server has no such page; asked once.

        Args:
            path: below the server's url.
            beside: below its root instead, where servers tell about themselves.

        Raises:
            Refused: no server answers there, or not with JSON.
            RunError: it refuses the key or sends elsewhere.
        """
        url = urlsplit(self.server.url)
        where = f"{url.scheme}://{url.netloc}{path}" if beside else self.server.url + path
        try:
            status, _, body = await self._send("GET", where, None)
            if status == 200:
                return self._json(body)
        except (Malformed, httpx.HTTPError, TimeoutError) as error:
            raise Refused(self._said(error)) from None
        if status in (401, 403) and not beside:
            self._stop(status, body)
        return None

    async def post(
        self, path: str, body: Mapping[str, Any], read: Callable[[dict[str, Any]], _Read], tokens: int
    ) -> _Read:
        """Ask, and return what ``read`` makes of the answer; asked again after errors that may pass.

        Args:
            path: below the server's url.
            body: JSON.
            read: raises `Malformed` for an answer that is not what it should be.
            tokens: about how many the question and its answer have, for the limit.

        Raises:
            Refused: this question has no answer, with the reason.
            RunError: no question would have one: a wrong key, an unknown model, a redirect, a pause without end.
        """
        content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        reason = ""
        async with self._slots:
            for attempt in range(self.server.retries + 1):
                await self._pace.turn(tokens)
                pause: float | None = None
                try:
                    status, headers, found = await self._send("POST", self.server.url + path, content)
                    if status == 200:
                        return read(self._object(found))
                    pause, reason = self._wait(headers), self._judged(status, headers, found)
                except (Malformed, httpx.HTTPError, TimeoutError) as error:
                    reason = self._said(error)
                if attempt == self.server.retries:
                    break
                self.repeated[reason] += 1
                if pause is not None:
                    self._pace.pause(pause)
                else:
                    await self._sleep(min(LONGEST_BACKOFF, 0.5 * 2**attempt) * self._chance.uniform(0.5, 1.5))
        again = f", asked {self.server.retries + 1} times" if self.server.retries else ""
        raise Refused(f"server {self.name!r}: {reason}{again}")

    async def _send(self, method: str, url: str, content: bytes | None) -> tuple[int, httpx.Headers, bytes]:
        headers = {"Content-Type": "application/json"} if content is not None else {}
        async with asyncio.timeout(self.server.timeout):  # httpx's own limit begins anew with every byte
            async with self._http.stream(method, url, content=content, headers=headers) as response:
                if response.is_redirect:
                    self._redirected(response)
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MAX_BODY_BYTES:
                        raise Refused(f"server {self.name!r}: the answer is larger than {MAX_BODY_BYTES // 2**20} MiB")
        return response.status_code, response.headers, bytes(body)

    def _redirected(self, response: httpx.Response) -> NoReturn:
        host = urlsplit(response.headers.get("location", "")).netloc.rpartition("@")[2]
        raise RunError(
            f"models.servers.{self.name}: {self.server.url} answered with a redirect to {self.clean(host) or 'another place'}, which "
            "is not followed, since the key would go along. Write the final address into `url`."
        )

    def _json(self, body: bytes) -> Any:
        try:
            return json.loads(body.decode(), parse_constant=_no_number)
        except UnicodeDecodeError:
            raise Malformed("the answer is not UTF-8") from None
        except (ValueError, RecursionError):
            if body.lstrip()[:1] == b"<":
                raise Malformed(
                    "the answer is a web page and not JSON; is `url` the address of the interface?"
                ) from None
            raise Malformed("the answer is not whole JSON") from None

    def _object(self, body: bytes) -> dict[str, Any]:
        found = self._json(body)
        if not isinstance(found, dict):
            raise Malformed("the answer is JSON but no object")
        if found.get("error"):
            raise Malformed(f"the answer is an error: {self.clean(_message(found))}")
        return found

    def _judged(self, status: int, headers: httpx.Headers, body: bytes) -> str:
        """Return why to ask again; what asking again cannot mend is raised."""
        if status in (401, 403, 404):
            self._stop(status, body)
        told = self.clean(_message(_loosely(body)))
        reason = f"it answered {status}" + (f": {told}" if told else "")
        if status not in _RETRIED and status < 500:
            raise Refused(f"server {self.name!r}: {reason}", is_question=True)
        if (pause := self._wait(headers)) is not None and pause > LONGEST_PAUSE:
            raise RunError(
                f"models.servers.{self.name}: the server answered {status} and asks for a pause of {pause:,.0f} s, more than the "
                f"{LONGEST_PAUSE:.0f} s that a run waits. Resume the run then."
            )
        return f"it answered {status}"

    def _stop(self, status: int, body: bytes) -> NoReturn:
        told = self.clean(_message(_loosely(body)))
        said = f" It says: {told}" if told else ""
        if status == 404:
            raise RunError(
                f"models.servers.{self.name}: {self.server.url} answered 404: no such model or address.{said} Correct `url` or the "
                "variant's `model`."
            )
        variable = self.server.key
        held = f"the key in the environment variable {variable}" if variable else "questions without a key"
        hint = "Put a valid key there." if variable else "Name the variable that holds the key under `key`."
        raise RunError(
            f"models.servers.{self.name}: {self.server.url} answered {status}: it refuses {held}. {hint}{said}"
        )

    def _wait(self, headers: httpx.Headers) -> float | None:
        told = headers.get("retry-after")
        if told is None:
            return None
        try:
            seconds = float(told)
        except ValueError:
            try:
                then = parsedate_to_datetime(told)
            except ValueError:
                return None
            seconds = (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
        return max(0.0, seconds) if seconds == seconds else None

    def clean(self, text: str) -> str:
        """Return a server's words, shortened, on one line, and without the key should it repeat it."""
        if self._key:
            text = text.replace(self._key, "(the key)")
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        return line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."

    def _said(self, error: Exception) -> str:
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            return f"no whole answer came within {self.server.timeout:g} s"
        if isinstance(error, httpx.ConnectError):
            return f"nothing answers at {self.server.url}"
        if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
            return "the connection broke off in the middle of the answer"
        return str(error) if isinstance(error, Malformed) else f"the exchange failed ({type(error).__name__})"


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _loosely(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _message(found: Any) -> str:
    """Return what an error's body says: OpenAI's ``error.message``, or one of the shapes that others use."""
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    return found if isinstance(found, str) else ""
