"""The names of all reductions, under which they can be switched off."""

POOLING = "pooling"
SLICING = "slicing"
FUSION = "fusion"
REDUCTIONS = (POOLING, SLICING, FUSION)
ALL = "all"
