"""The names of all reductions, under which they can be switched off."""

POOLING = "pooling"
SLICING = "slicing"
CERTIFICATE = "certificate"
FUSION = "fusion"
REDUCTIONS = (POOLING, SLICING, CERTIFICATE, FUSION)
ALL = "all"
