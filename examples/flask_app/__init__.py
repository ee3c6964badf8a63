"""A Flask app that signs people in with a password and a second factor, made to be copied from.

Run it with ``python examples/flask_app``: it needs no account. Read it in this order:
``second_factor.py`` is what the calls of workos_mfa come to, ``views.py`` the pages around it,
``accounts.py`` and ``limits.py`` what an app has to remember, ``security.py`` what every page needs,
and ``app.py`` puts them together.
"""
