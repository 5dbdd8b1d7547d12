"""Variants that answer from a server with OpenAI's interface: vLLM, llama.cpp, TGI, `transformers serve`, a cloud.

The only room that talks to a network. It imports no torch; jobs alone use it, and viewing never does.
"""
