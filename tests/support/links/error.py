"""What a laboratory raises when it cannot do its own part."""


class LaboratoryError(Exception):
    """The laboratory itself failed, not what is tested in it."""
