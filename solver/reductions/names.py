"""The names of all reductions, under which they can be switched off."""

POOLING = "pooling"
SLICING = "slicing"
REDUCTIONS = (POOLING, SLICING)
ALL = "all"
