"""Hands a run's results on to where people look at their experiments: MLflow, Weights & Biases, TensorBoard.

One file a target; each takes the same `core.push.content.VariantResult` and imports its library only when it is asked to write.
"""
