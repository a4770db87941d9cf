"""The names of all reductions, under which they can be switched off."""

POOLING = "pooling"
REDUCTIONS = (POOLING,)
ALL = "all"
