"""A Flask app with a password login and the second factor of ``workos_mfa.flask``: ``python examples/flask_app``.

``app.py`` is the app, ``people.py`` its table of people, and ``__main__.py`` runs it. What belongs to any login is
missing here: a limit to how often a password may be tried, and proof that an e-mail address is one's own.
"""
