"""The network between pods, as far as policies decide who reaches whom."""
