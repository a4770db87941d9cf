"""The kube-proxy of each node."""
