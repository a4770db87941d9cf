"""Users and faults."""
