"""The components of the control plane and those who use it, one folder each."""
