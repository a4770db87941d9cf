"""The controller manager as a process: what a restart forgets."""
