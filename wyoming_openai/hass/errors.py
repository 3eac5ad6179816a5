"""What can go wrong between us and Home Assistant. The texts are for the owner and hold no secret."""

MAX_TEXT = 500


class HassError(Exception):
    """Something between us and Home Assistant."""


class CannotConnect(HassError):
    """No Home Assistant was reached at the address."""


class InvalidAuth(HassError):
    """Home Assistant does not let us in."""


class ConnectionLost(HassError):
    """The connection ended."""


class MessageTooBig(ConnectionLost):
    """Home Assistant sent more than we are willing to hold; it will again."""


class CommandFailed(HassError):
    """Home Assistant refused a command, or did not answer it in time (code `timeout`)."""

    def __init__(self, command: str, code: str, message: str) -> None:
        super().__init__(f"{command}: {message[:MAX_TEXT]} ({code[:50]})")
        self.code = code
        self.message = message[:MAX_TEXT]


class HomeUnavailable(HassError):
    """There is no connection to Home Assistant at the moment."""
