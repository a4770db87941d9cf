"""The names of all reductions, under which they can be switched off."""

POOLING = "pooling"
SLICING = "slicing"
CERTIFICATE = "certificate"
REDUCTIONS = (POOLING, SLICING, CERTIFICATE)
ALL = "all"
