"""The node lifecycle controller."""
