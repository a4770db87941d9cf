"""The controller of a cloud that initialises new Nodes."""
