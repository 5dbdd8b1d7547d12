"""Train the sample's LoRA adapters on data/tickets.train.jsonl.

Run ``python sample_data/train_adapters.py`` (all adapters) or name some: ``... qv-r8 all-r8``. It takes 2 to 12 minutes an
adapter on two idle cores and needs nothing but lorascope's own requirements. The loss is on the assistant's answer alone.
Beside each adapter stand trainer_state.json (the log) and the *_results.json files of the transformers Trainer.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainingArguments,
    set_seed,
)

from core.engine.sample_base import make_sample_base
from core.paths import cached_model

HERE = Path(__file__).parent
BASE = "smollm2-135m"
ALL_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
HELD_OUT_ROWS = 40
SUBSET_SEED = 7


@dataclass(frozen=True)
class Recipe:
    """What distinguishes one adapter from another; everything else is the same for all."""

    rank: int = 8
    modules: tuple[str, ...] = ("q_proj", "v_proj")
    share: float = 1.0
    seed: int = 0


RECIPES = {
    "qv-r8": Recipe(),
    "all-r8": Recipe(modules=tuple(ALL_LINEAR)),
    "qv-r2": Recipe(rank=2),
    "qv-r32": Recipe(rank=32),
    "qv-r8-half": Recipe(share=0.5),
    "qv-r8-quarter": Recipe(share=0.25),
    "qv-r8-seed1": Recipe(seed=1),
    "qv-r8-seed2": Recipe(seed=2),
}


def encode(row: dict, tokenizer) -> dict[str, list[int]]:
    """Return input ids and labels of a conversation; the labels of everything but the last answer are -100."""
    messages = row["messages"]
    prompt = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, tokenize=False)
    whole = tokenizer.apply_chat_template(messages, tokenize=False).removesuffix("\n")
    if not whole.startswith(prompt):
        raise ValueError(f"{row['id']}: the chat template does not render a conversation as its prompt plus the answer")
    ids = tokenizer(prompt, add_special_tokens=False).input_ids
    answer = tokenizer(whole[len(prompt) :], add_special_tokens=False).input_ids
    return {"input_ids": ids + answer, "attention_mask": [1] * len(ids + answer), "labels": [-100] * len(ids) + answer}


def take_share(rows: list, share: float) -> list:
    """Return the first ``share`` of the rows in one fixed random order, so that a quarter is part of the half."""
    order = random.Random(SUBSET_SEED).sample(rows, len(rows))
    return order[: round(share * len(order))]


def train(name: str, recipe: Recipe, rows: list[dict]) -> None:
    """Train one adapter and save it in adapters/NAME, with its log."""
    set_seed(recipe.seed)
    base = make_sample_base(cached_model(BASE), print)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    lora = LoraConfig(
        r=recipe.rank,
        lora_alpha=2 * recipe.rank,
        target_modules=list(recipe.modules),
        lora_dropout=0.05,
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, lora)
    encoded = [encode(row, tokenizer) for row in rows]
    held_out, rest = encoded[-HELD_OUT_ROWS:], take_share(encoded[:-HELD_OUT_ROWS], recipe.share)
    folder = HERE / "adapters" / name
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch, num_train_epochs=1, per_device_train_batch_size=8, per_device_eval_batch_size=8,
            learning_rate=1e-3, lr_scheduler_type="cosine", warmup_steps=10, weight_decay=0.0, max_grad_norm=1.0,
            train_sampling_strategy="group_by_length", logging_steps=5, eval_strategy="steps", eval_steps=0.25,
            save_strategy="no", report_to="none", seed=recipe.seed, data_seed=recipe.seed, include_num_input_tokens_seen="all",
        )  # fmt: skip
        trainer = Trainer(
            model=model, args=arguments, train_dataset=rest, eval_dataset=held_out,  # type: ignore[arg-type]
            data_collator=DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100), processing_class=tokenizer,
        )  # fmt: skip
        metrics = trainer.train().metrics
        trainer.save_metrics("train", metrics | {"train_samples": len(rest)})
        trainer.save_metrics("eval", trainer.evaluate() | {"eval_samples": len(held_out)})
        trainer.save_state()
        folder.mkdir(parents=True, exist_ok=True)
        for file in Path(scratch).glob("*.json"):
            (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    save_adapter(model, folder)


def save_adapter(model, folder: Path) -> None:
    """Save the adapter's tensors in bfloat16, with a config that names the base without a path of this machine."""
    model.peft_config["default"].base_model_name_or_path = f"cache:{BASE}"
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.bfloat16)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card says nothing that the files do not
    config = folder / "adapter_config.json"
    settings = json.loads(config.read_text(encoding="utf-8"))
    settings["target_modules"] = sorted(settings["target_modules"])  # a set: its order would differ from run to run
    config.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    """Train the adapters named on the command line, or all."""
    names = sys.argv[1:] or list(RECIPES)
    if unknown := [name for name in names if name not in RECIPES]:
        sys.exit(f"Unknown adapter {', '.join(unknown)}; there are {', '.join(RECIPES)}.")
    lines = (HERE / "data" / "tickets.train.jsonl").read_text(encoding="utf-8").splitlines()
    for name in names:
        train(name, RECIPES[name], [json.loads(line) for line in lines])


if __name__ == "__main__":
    main()
