"""Datasets and prompts: readers, chat templates and tokenizers, all without torch."""
