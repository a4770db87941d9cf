"""Ingress controllers."""
