"""What the built-in controllers decide, as pure functions of small frozen values.

Nothing here knows of cells, caches or conflicts: a decision is what one sync of the real controller
would write, given what it read.
"""
