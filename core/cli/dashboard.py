"""``lorascope dashboard``: serve the pages on this machine. How they are served is the affair of dashboard/serve.py."""

from __future__ import annotations

import errno
import os
import socket
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from runpy import run_path
from urllib.parse import urlencode

import click

from core.cli.options import examples, say, workspace_option
from core.errors import InputError, RunError
from core.workspace import load_workspace

WORKSPACE_VARIABLE = "LORASCOPE_WORKSPACE"
"""The environment variable that tells the pages which workspace to show."""
STUDY_VARIABLE = "LORASCOPE_STUDY"
"""The environment variable that leaves of all pages the rating of one study."""
_PORTS_TRIED = 50


@click.command(
    "dashboard",
    epilog=examples(
        "lorascope dashboard --workspace sample_data",
        "lorascope dashboard --host 0.0.0.0 --allow-host lab-7.example.org",
        "lorascope dashboard --study 3f2a90c1b7de --host 0.0.0.0 --allow-host lab-7.example.org",
    ),
)
@workspace_option
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Where to listen.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to listen on; by default this machine alone."
)
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="HOST",
    help="A further name under which browsers may reach the page; give it once for each name.",
)  # fmt: skip
@click.option("--study", metavar="STUDY", help="Let others rate this study by its link, and show them nothing else.")
@click.option(
    "--key", envvar="LORASCOPE_STUDY_KEY", show_envvar=True, metavar="SECRET",
    help="With --study: the secret of the link that raters have. Without it a new link is made, and the old one ends.",
)  # fmt: skip
def command(
    workspace: Path, port: int, host: str, allowed: tuple[str, ...], study: str | None, key: str | None
) -> None:
    """Open the dashboard on a workspace, or on the folder of a single run that was copied here.

    With --study the server shows the rating of one study and no other page, to those who have its link.
    """
    serve(workspace, port, host, allowed, study, key)


def serve(
    workspace: Path, port: int = 8501, host: str = "127.0.0.1", allowed: tuple[str, ...] = (), study: str | None = None,
    key: str | None = None,
) -> None:  # fmt: skip
    """Serve the dashboard until it is stopped; with a study its rating alone.

    Raises:
        InputError: the workspace cannot be read, the port or host cannot be used, or there is no such study or link.
        RunError: the store of ratings cannot be reached.
    """
    opened = load_workspace(workspace)
    check_port(host, port)
    where = opened.folder if opened.path.name == "workspace.yaml" or opened.only_run else opened.path
    os.environ[WORKSPACE_VARIABLE] = str(where)
    if study is not None:
        _announce_study(opened.folder, study, key, host, port, allowed)
    else:
        os.environ.pop(STUDY_VARIABLE, None)
        if not _is_loopback(host):
            say(
                f"Listening on {host}: everybody who can reach this machine can read the workspace and start runs in it."
            )
        _import_ahead()
        click.echo(f"Dashboard: http://{_in_address(host)}:{port}   (Ctrl-C stops it; runs go on)")
    _hand_over(server_flags(host, port, allowed))


def _announce_study(
    folder: Path, name: str, key: str | None, host: str, port: int, allowed: tuple[str, ...]
) -> None:  # fmt: skip
    """Make the server one of a study alone, and print the link that opens it.

    Raises:
        InputError: there is no such study, it is closed, or the key is not that of its link.
        RunError: the store cannot be reached.
    """
    from core.ratings import closed_at, open_by_link, open_store, open_study, renew_link

    store = open_store(folder)
    study = open_study(store, name)
    if closed_at(study) is not None:
        raise InputError(f"Study {study.id} ({study.plan.title}) is closed: nothing more can be rated in it.")
    if key:
        open_by_link(store, study.id, key)
    else:
        key = renew_link(study)
        say(
            "This is a new link: the one before it opens nothing any more. To keep this one next time, add: --key SECRET"
        )
    os.environ[STUDY_VARIABLE] = study.id
    names = server_names(host, allowed)
    at = next((one for one in reversed(names) if one not in ("127.0.0.1", "localhost")), "127.0.0.1")
    link = f"http://{_in_address(at)}:{port}/?{urlencode({'study': study.id, 'key': key})}"
    click.echo(f"Rating {study.plan.title!r}. Link for raters: {link}")
    click.echo(
        f"Served to browsers that name it {', '.join(names)}; further names: --allow-host NAME. Ctrl-C stops it."
    )


def _import_ahead() -> None:
    """Import what the first page needs before it is asked for: the first visitor then waits half as long.

    Not in a thread beside the server: two threads that import pandas at once see it half made.
    """
    for name in (
        "core.compare",
        "core.charts.forest",
        "core.charts.cost",
        "core.charts.scatter",
        "core.charts.tables",
        "core.data.browse",
        "core.ratings",
        "core.report.gather",
        "core.text_features",
        "duckdb",
        "markdown_it",
        "sqlalchemy.orm",
    ):
        import_module(name)


def server_flags(host: str, port: int, allowed: tuple[str, ...]) -> list[str]:
    """Return Streamlit's flags. ``allowedHosts`` is what keeps a foreign page's requests out (DNS rebinding)."""
    names = server_names(host, allowed)
    return [
        f"--server.address={host}", f"--server.port={port}", "--server.headless=true", "--browser.gatherUsageStats=false",
        *(f"--server.allowedHosts={name}" for name in names),
    ]  # fmt: skip


def server_names(host: str, allowed: tuple[str, ...]) -> list[str]:
    """Return the names under which browsers may reach the server."""
    return list(dict.fromkeys(["127.0.0.1", "localhost", *([] if _is_any(host) else [host]), *allowed]))


def script_path() -> Path:
    """Return the dashboard's script that serves its pages.

    Raises:
        RunError: the package ``dashboard`` is not installed beside ``core``.
    """
    found = find_spec("dashboard")
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder) / "serve.py").is_file():
            return path
    raise RunError(
        "The dashboard's serve.py was not found beside lorascope's core. Install lorascope again: pip install -U lorascope"
    )


def _hand_over(flags: list[str]) -> None:
    """Let the dashboard's own script serve in this process, which has imported what the first page needs."""
    script = run_path(str(script_path()))
    try:
        script["serve"](flags)
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise RunError("The dashboard stopped with an error; its last lines are above.") from None


def check_port(host: str, port: int) -> None:
    """Make sure that the address can be listened on.

    Raises:
        InputError: the port is in use (the next free one is named), needs more rights, or the host is not this machine's.
    """
    error = _bind_error(host, port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        free = next((p for p in range(port + 1, min(port + _PORTS_TRIED, 65536)) if _bind_error(host, p) is None), None)
        hint = f"Use the next free one: --port {free}" if free else "Name another with --port."
        raise InputError(f"Port {port} on {host} is in use, perhaps by another dashboard. {hint}")
    if error.errno == errno.EACCES:
        raise InputError(f"Port {port} needs more rights than you have. Use one above 1023, such as --port 8501.")
    raise InputError(
        f"{host} is no address of this machine ({error.strerror or error}). Use 127.0.0.1, or 0.0.0.0 for all."
    )


def _bind_error(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")


def _in_address(host: str) -> str:
    if _is_any(host):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
