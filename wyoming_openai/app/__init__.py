"""The program: its command line, the builder of its parts, and the service that runs them."""
