"""Load balancers that send to pods themselves, which they come to know late."""
