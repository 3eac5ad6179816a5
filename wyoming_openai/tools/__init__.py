"""What the model may do: one family a module; run one after the other in the order asked."""

from .toolbox import Run, Tool, Toolbox, ToolContext, ToolError, schema

__all__ = ["Run", "Tool", "ToolContext", "ToolError", "Toolbox", "schema"]
