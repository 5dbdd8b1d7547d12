"""Serves the pages in the process that asks for it. The command line, which knows nothing of Streamlit, runs this file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def serve(flags: Sequence[str]) -> None:
    """Serve the pages until they are stopped; what was imported before need not be imported again.

    Args:
        flags: of ``streamlit run``.

    Raises:
        SystemExit: Streamlit ended, with its exit code.
    """
    from streamlit.web import cli

    cli.main(["run", str(Path(__file__).with_name("app.py")), *flags], standalone_mode=False)
