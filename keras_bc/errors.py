"""The one exception for what a user can put right."""


class UserError(Exception):
    """A mistake in what the user gave.

    The message says what was wrong, what was expected and what to do, on one line.
    The command line prints it alone and exits with code 1; a traceback is for our mistakes only.
    """
