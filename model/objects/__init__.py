"""API objects as frozen values: only the fields that some rule reads."""
