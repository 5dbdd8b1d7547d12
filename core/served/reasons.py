"""Why something has no value where a server answers: said by plans, which know no client, and by what reads answers."""

NO_LOGPROBS = "this server returns no log-probabilities"
NO_PROMPT_LOGPROBS = f"{NO_LOGPROBS} of a given text"
