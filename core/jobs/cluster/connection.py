"""Start a Ray cluster on this machine for one run, or join one that is there; and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.cluster import AUTO, LOCAL, ClusterChoice
from core.errors import InputError, RunError
from core.jobs.cluster.token import MODE, token_settings

OBJECT_STORE_BYTES = 128 * 2**20
"""Of a cluster of ours: parts and their evidence are some kilobytes each and do not wait long."""
REACH_SECONDS = 5.0
POLL_SECONDS = 1.0
"""A wait is cut into pieces of this length, so that a cancelled run stops soon."""
_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_COLOR_PREFIX": "0"}
"""Nothing is told to Ray's makers; workers are plain processes of this Python."""
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Ray's own switch for a cluster of one machine: every port is opened on 127.0.0.1 alone."""


@dataclass(frozen=True)
class Connection:
    """The module ``ray``, connected, and how a run waits for it."""

    ray: Any
    stop_if_asked: Callable[[], None]
    """Raises what the process's own handler of SIGTERM raises, if the signal came since the last call."""

    def wait(self, references: Sequence[Any], seconds: float = POLL_SECONDS) -> list[Any]:
        """Return those of some references (one at least) that are answered; none after so many seconds."""
        ready = self.ray.wait(references, timeout=seconds)[0]
        self.stop_if_asked()
        return ready

    def fetch(self, reference: Any) -> Any:
        """Return what a worker answers.

        Raises:
            InputError, RunError, OSError: as the worker raised it; anything else that it raised as a RunError.
            ray.exceptions.RayError: the worker is gone.
        """
        while not self.wait([reference]):
            pass
        try:
            return self.ray.get(reference)
        except self.ray.exceptions.RayTaskError as error:
            raise own_error(error.cause, str(error)) from None


@contextmanager
def connected(choice: ClusterChoice) -> Iterator[Connection]:
    """Yield a connection; leaves the cluster at the end, and stops it if it was started here.

    Meanwhile SIGTERM is noted and heeded at the next wait: raised within one of Ray's own calls it would come out as another error.

    Raises:
        InputError: nothing answers at the address, or it runs other versions of Ray or Python.
    """
    local = choice.address == LOCAL
    if choice.host_and_port is not None:
        _check_reachable(*choice.host_and_port)
    on_loopback = local or (choice.host_and_port is not None and _is_on_loopback_alone(*choice.host_and_port))
    # Read by Ray when it is imported.
    os.environ.update({**_ENVIRONMENT, **(_LOOPBACK if on_loopback else {}), **token_settings(choice)})
    import ray

    handler, asked = signal.getsignal(signal.SIGTERM), []

    def stop_if_asked() -> None:
        if asked and callable(handler):
            handler(*asked.pop())

    scratch = _scratch_folder() if local else None
    try:
        _connect(ray, choice, scratch)
        # In place of Ray's own, which would end the process without a word to the run's status.
        signal.signal(signal.SIGTERM, lambda *told: asked.append(told))
        yield Connection(ray, stop_if_asked)
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, handler)
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    stop_if_asked()


def _scratch_folder() -> Path:
    """Make a folder for Ray: short, since Unix sockets lie in it, and this user's alone, since workers log there."""
    return Path(tempfile.mkdtemp(prefix="lorascope-ray-", dir="/tmp" if os.path.isdir("/tmp") else None))


def _connect(ray: Any, choice: ClusterChoice, scratch: Path | None) -> None:
    shared: dict[str, Any] = {"include_dashboard": False, "logging_level": "warning", "log_to_driver": True}
    try:
        if scratch is not None:
            cores = os.cpu_count() or 1
            ray.init(
                address="local", num_cpus=max(cores, choice.workers or 1), object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address="127.0.0.1", _temp_dir=str(scratch), **shared,
            )  # fmt: skip
        else:
            shared.pop("include_dashboard")  # the cluster's own affair
            ray.init(address=choice.address, namespace="lorascope", **shared)
    except ConnectionError as error:
        raise InputError(_no_cluster(choice, error)) from None
    except RuntimeError as error:
        if "Version mismatch" not in str(error):
            raise
        reason = " ".join(str(error).split())
        raise InputError(
            f"--ray {choice.address}: the cluster runs other versions than this process ({reason}). Install the same Python and Ray "
            "on all machines."
        ) from None


def _no_cluster(choice: ClusterChoice, error: Exception) -> str:
    if choice.address == AUTO:
        return (
            "--ray auto: found no Ray cluster that this machine belongs to. Start one with `ray start --head`, or let the run have its "
            "own with: --ray local"
        )
    return (
        f"--ray {choice.address}: the cluster cannot be joined ({' '.join(str(error).split())[:300]}). If it asks for a token (log.txt "
        f"then says Unauthenticated), set {MODE}=token here, and RAY_AUTH_TOKEN to what `ray get-auth-token` says on its head."
    )


def _is_on_loopback_alone(host: str, port: int) -> bool:
    """Tell whether a cluster of one machine listens there: Ray takes 127.0.0.1 for the machine's outer address otherwise."""
    if host not in ("127.0.0.1", "localhost", "::1"):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(
                ("192.0.2.1", 9)
            )  # nothing is sent: it only names the outer address (RFC 5737's test network)
            outer = asked.getsockname()[0]
            socket.create_connection((outer, port), timeout=REACH_SECONDS).close()
        except OSError:
            return True
    return False


def _check_reachable(host: str, port: int) -> None:
    """Ask the address for a connection: Ray itself would try for a minute, and then end the process."""
    try:
        socket.create_connection((host, port), timeout=REACH_SECONDS).close()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"--ray {host}:{port}: nothing answers there ({reason}). `ray status` on a machine of the cluster says where it listens."
        ) from None


def own_error(cause: BaseException, trace: str) -> Exception:
    """Return what a worker raised as an error of ours; the trace of one that nobody foresaw goes to the run's log."""
    if isinstance(cause, (InputError, RunError, OSError)):
        return cause
    if "failed to import" in trace or "No module named" in trace:
        return InputError(
            f"A worker of the cluster cannot load lorascope ({first_line(cause)}). Install the same lorascope on all its machines."
        )
    print(trace, flush=True)
    return RunError(
        f"A worker of the cluster failed: {type(cause).__name__}: {first_line(cause)}. The whole trace is in log.txt."
    )


def first_line(error: BaseException) -> str:
    """Return the first line that an error says, for a sentence; its kind if it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
