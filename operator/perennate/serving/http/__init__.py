"""The routes of a serving pod and the servers that run them."""
