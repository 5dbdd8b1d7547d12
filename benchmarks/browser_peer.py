"""Inspect's viewer on a log of as many samples, timed like our own pages; needs inspect-ai, which is no dependency of this project.

It does the nearest thing among dashboards that PyPI has: one evaluation's samples as a list that can be searched and opened. It knows one
model a log and no paired statistics, so that its log has a fifth of the answers.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from benchmarks.browser_watch import PATIENCE, Step, Watch, resident_bytes
from benchmarks.dashboard import served

_WRITE = """
import sys
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalPlan, EvalResults, EvalSample, EvalSpec, EvalStats, write_eval_log
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelOutput
from inspect_ai.scorer import Score
path, n = sys.argv[1], int(sys.argv[2])
words = "thank you for writing about your order the parcel has left our house and will reach you within four days".split()
def text(i, k):
    return " ".join(words[(i * 7 + j * (k + 3)) % len(words)] for j in range(40 + i % 20))
samples = [
    EvalSample(id=f"e{i}", epoch=1, input=text(i, 1), target=text(i, 2),
               messages=[ChatMessageUser(content=text(i, 1)), ChatMessageAssistant(content=text(i, 3))],
               output=ModelOutput.from_content("made-up", text(i, 3)), scores={"rouge_l": Score(value=(i * 37 % 100) / 100)})
    for i in range(n)
]
spec = EvalSpec(created="2026-11-22T16:00:00+00:00", task="reply", model="made-up", dataset=EvalDataset(name="data", samples=n),
                config=EvalConfig())
log = EvalLog(status="success", eval=spec, plan=EvalPlan(), results=EvalResults(total_samples=n, completed_samples=n),
              stats=EvalStats(), samples=samples)
write_eval_log(log, path)
"""


def measure_peer(browser: Any, scratch: Path, python: str, n: int) -> list[Step]:
    """Return the steps in Inspect's viewer: its list of logs, and all samples of one.

    Args:
        browser: of playwright.
        scratch: where the log is written.
        python: an interpreter that has inspect-ai.
        n: samples.
    """
    folder = scratch / "peer"
    folder.mkdir(exist_ok=True)
    name = "2026-11-22T16-00-00+00-00_reply_made-up.eval"
    subprocess.run([python, "-c", _WRITE, str(folder / name), str(n)], check=True)
    command = [python, "-m", "inspect_ai._cli.main", "view", "start", "--log-dir", str(folder), "--port"]
    with served(command, health="/") as server:
        page = browser.new_context(viewport={"width": 1440, "height": 2200}).new_page()
        page.set_default_timeout(PATIENCE)
        watch = Watch(page, server, rests=False)
        watch.time(
            "Inspect: the list of logs", lambda: page.goto(server.address), page.get_by_text("reply").first.wait_for
        )
        sample = page.get_by_text("e0", exact=True).first
        watch.time("Inspect: the log's samples", page.get_by_text("reply").first.click, sample.wait_for)
        memory = resident_bytes(server.pid)
        page.context.close()
    print(f"Inspect's server: {memory / 1e9:.2f} GB.")
    return watch.steps
