"""The controller of a cloud that has routes made to the pods of Nodes."""
