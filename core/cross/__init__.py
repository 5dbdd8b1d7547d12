"""Each variant's answers read by another variant: how likely does one model find what the other one wrote?

Two words are used throughout: the *writer* generated an answer, the *reader* gave each of its tokens a log-likelihood. Reading
needs the models and is a job (`core.jobs.cross_likelihood`); what is here stores, finds and sums readings, without a model.
"""
