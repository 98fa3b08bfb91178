"""A LangGraph checkpointer that keeps checkpoints in the state API: ``graph.compile(checkpointer=VantaSaver(url, key, agent))``."""

from client.langgraph.saver import VantaSaver

__all__ = ["VantaSaver"]
