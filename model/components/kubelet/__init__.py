"""The kubelet of each node."""
