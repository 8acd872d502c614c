"""What can keep a file from being prepared."""


class CannotPrepare(Exception):
    """The file cannot be brought into the strict form; the message says what to change."""
