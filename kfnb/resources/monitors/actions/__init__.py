"""What an alarm may lead to: a file for each kind of step, and ``steps``, which knows all of them."""
