"""The control plane as pure functions, and how scenarios are made of manifests."""
