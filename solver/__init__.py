"""Engines: they answer whether the properties of a system hold."""
