"""The service controller of a cloud: load balancers of Services."""
