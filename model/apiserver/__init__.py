"""What the API server does with a write: its preconditions, and what becomes of the object."""
