"""The only room that imports torch, transformers and peft: load models, observe what they do, measure their speed."""
