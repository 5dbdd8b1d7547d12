"""A process that makes statistics of one run, share by share: ``python -m core.statistics_worker FOLDER``.

It reads shares as lines of JSON, keeps what it makes in the run's ``derived/``, and answers each with an empty line. It ends with its
input, so that it does not outlive who started it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from core.derived import StatisticsReader
from core.prepare_statistics import Share, make_share
from core.store import Run


def main() -> None:
    """Answer shares until the input ends."""
    reader = StatisticsReader(Run(Path(sys.argv[1])))
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a metric prints must not be taken for an answer
    for line in sys.stdin:
        task, variant, metrics = json.loads(line)
        make_share(reader, Share(task, variant, tuple(metrics)))
        print(file=answers, flush=True)


if __name__ == "__main__":
    main()
