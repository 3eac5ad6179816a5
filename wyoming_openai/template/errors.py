"""What can go wrong with a template, worded as Home Assistant words it."""


class TemplateError(Exception):
    """The template can't be compiled or rendered. The text is `<ExceptionClass>: <what>`."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        """Where in the template, counted from 1, if known."""


class TooMuchOutput(TemplateError):
    """The rendered text is longer than Home Assistant allows."""


class NeedsHomeAssistant(TemplateError):
    """The answer can't be known from the mirror: ask Home Assistant's `render_template`. The text says why."""


class UnknownFunction(NeedsHomeAssistant):
    """A function, filter or test that Home Assistant does not have by itself; an integration may have added it.

    The text is the error that Home Assistant gives where nothing has.
    """
