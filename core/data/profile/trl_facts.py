"""What TRL 1.16's SFTTrainer reads, stops at and replaces, as its source says (trl is not imported)."""

from __future__ import annotations

import hashlib

TRL = "TRL 1.16"
DEFAULT_MAX_LENGTH = 1024

CONVERSATIONS = ("messages", "tool-calls", "sharegpt")
READS = (*CONVERSATIONS, "text", "prompt-completion", "unpaired-preference")
WRONG_TRAINER = {
    "preference": "It reads `prompt` without `completion` and stops. Preference pairs are for DPOTrainer.",
    "preference-implicit": "It finds neither `messages` nor `text` and stops. Preference pairs are for DPOTrainer.",
    "prompt-only": "It reads `prompt` without `completion` and stops. Prompts alone are for GRPOTrainer.",
    "stepwise": "It reads `prompt` without `completion` and stops. Stepwise supervision is for a reward trainer (PRM).",
    "alpaca": "It does not know `instruction` and `output` and stops. Convert the file to prompt and completion.",
    "instruction-output": "It does not know `instruction` and `output` and stops. Convert the file to prompt and completion.",
    "unknown": "It finds none of `messages`, `prompt` with `completion`, and `text`, and stops.",
}
MARKERS = (
    "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|eot_id|>", "<start_of_turn>", "<end_of_turn>", "[INST]", "[/INST]",
    "<|user|>", "<|assistant|>", "<|system|>", "<|end|>", "<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>",
)  # fmt: skip
"""What the chat templates of widespread models put around turns."""
_TEMPLATES_WITH_TWIN = frozenset({
    "0d7e56ca41705b79", "2147c474f41b522b", "273d8e0e683b8850", "2c17243a977fd064", "3636d0f0bd6bef02", "44f815868bf02fa4",
    "5504d163d879bfb6", "563b1ce7d61d50a9", "56a1447ad31926fd", "575fb74f54ed264d", "58933db77d3099b4", "64f85b198065d0fb",
    "78d976a442bcde2f", "7de1c58e208eda46", "82753bef5cedc493", "830005085ddd94ce", "90c33aee14aa2a22", "9aeb7eac68ad87bb",
    "a0bc6f6fc7a29a80", "a4aee8afcf2e0711", "a4c9919cbbd4acdd", "a55ee1b1660128b7", "ab7813c3abdd9cb6", "ba03a121d097859c",
    "c3cf9e34abf4f9e3", "cd8e9439f0570856", "cef187400d62a595", "cfc67e5f349f3769", "dcaee66df77bfbb7", "e84f32a23fdda276",
    "ecd6ae513fe103f0",
})  # fmt: skip
"""SHA-256 (first 16 digits) of the chat templates that TRL 1.16 replaces by one of its own with ``{% generation %}``."""


def has_training_twin(template: str) -> bool:
    """Whether TRL replaces a chat template by one of its own for assistant_only_loss."""
    return hashlib.sha256(template.encode()).hexdigest()[:16] in _TEMPLATES_WITH_TWIN
