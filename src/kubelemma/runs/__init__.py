"""Recorded runs of a real control plane, and whether the model could have behaved like them.

``format`` reads a file, ``cluster`` keeps the objects as they are written, ``roster`` knows who
takes part, ``recorded`` and ``observation`` say what is observed of them and of a state of the
model, ``fitting`` makes a state show something else, ``world`` builds the model's system for a run,
``steps`` follows it, ``acceptance`` judges.
"""
