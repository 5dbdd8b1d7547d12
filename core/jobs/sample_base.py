"""The process that makes the sample's base model: ``python -m core.jobs.sample_base``. Prints one line a step."""

from __future__ import annotations

import sys

from core.engine.sample_base import make_sample_base
from core.paths import cached_model
from core.sample import BASE


def main() -> int:
    """Make it, and return 0; 1 with a sentence on standard error if it could not be made."""
    try:
        folder = make_sample_base(cached_model(BASE), lambda line: print(line, flush=True))
    except (RuntimeError, OSError) as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    print(f"The base model is in {folder}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
