"""Reconcile functions: the controllers that users load, and the machinery that runs them."""
