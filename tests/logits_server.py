"""A small server with vLLM's way of scoring: a real model, adapters by name, prompts as tokens, log-probabilities of an echo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from tests.scripted_server import Reply, of_json


class LogitsServer:
    """What such a server answers; to be run by `tests.scripted_server.scripted`."""

    def __init__(self, base: Path, adapters: dict[str, Path], *, scores: bool = True) -> None:
        """Load the models; without ``scores`` the wish for log-probabilities is silently ignored."""
        self._tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        self._models: dict[str, Any] = {"base": LlamaForCausalLM.from_pretrained(base)}
        for name, folder in adapters.items():
            self._models[name] = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base), str(folder))
        self._eos = self._models["base"].config.eos_token_id
        self.scores = scores

    @property
    def answer(self) -> Callable[[str, dict[str, Any]], Reply]:
        """What answers a POST."""
        return self._answer

    @torch.inference_mode()
    def _answer(self, path: str, body: dict[str, Any]) -> Reply:
        if path != "/v1/completions" or body["model"] not in self._models:
            return of_json({"error": {"message": "The model does not exist."}}, 404)
        model, ids, new = self._models[body["model"]], list(body["prompt"]), []
        while len(new) < body["max_tokens"] and self._eos not in new:
            new.append(int(model(input_ids=torch.tensor([ids + new])).logits[0, -1].argmax()))
        whole = ids + new
        logprobs = torch.log_softmax(model(input_ids=torch.tensor([whole])).logits[0].double(), dim=-1)
        first = 0 if body.get("echo") else len(ids)
        values = [None if k == 0 else float(logprobs[k - 1, whole[k]]) for k in range(first, len(whole))]
        tops = [None if k == 0 else {"best": float(logprobs[k - 1].max())} for k in range(first, len(whole))]
        block = {"token_logprobs": values, "top_logprobs": tops} if self.scores and body.get("logprobs") else None
        text = self._tokenizer.decode([one for one in new if one != self._eos], skip_special_tokens=True)
        finish = "stop" if new[-1] == self._eos else "length"
        choice = {"index": 0, "text": text, "finish_reason": finish, "logprobs": block, "token_ids": new}
        usage = {"prompt_tokens": len(ids), "completion_tokens": len(new)}
        return of_json({"model": body["model"], "choices": [choice], "usage": usage})
