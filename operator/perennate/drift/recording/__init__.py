"""Count traffic against a profile in a serving pod; write and validate the counts document."""
