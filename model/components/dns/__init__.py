"""DNS, and the clients of headless Services."""
