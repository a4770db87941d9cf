"""What happens on a node: the decisions of the kubelet."""
