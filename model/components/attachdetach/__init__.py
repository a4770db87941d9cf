"""The attach/detach controller."""
