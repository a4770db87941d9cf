"""kubelemma: a formal model checker for the Kubernetes control plane."""

__version__ = "0.1.0"
