"""The Endpoints controller, whose objects nobody reads who sends traffic."""
