"""The command line, ``workos-mfa``. Each command is a module that is imported when it is asked for.

Such a module has ``add_arguments(parser)``, and ``run(options)``, which returns the exit status. The table of the
commands is in ``main.py``.
"""
