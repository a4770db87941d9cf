"""The API server: what becomes of writes."""
