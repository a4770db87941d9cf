"""The controller of a cloud that deletes Nodes whose machines are gone."""
