"""The one exception for what a user can put right."""


class UserError(Exception):
    """A mistake in what the user gave: the message says what was wrong, what was expected and what to do.

    The command line prints the message alone, on one line, and exits with code 1; a traceback is
    for our mistakes only.
    """
