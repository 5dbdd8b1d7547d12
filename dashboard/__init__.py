"""The pages: thin functions over `core`. Nothing here imports torch, core.engine or the kinds of core.jobs."""
