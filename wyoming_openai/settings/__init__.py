"""Every option: its definition, the readers of flags, environment and files, what the page saved."""
