"""A Flask app that signs people in with a password and a second factor, made to be copied from.

Run it with ``python examples/flask_app``: it needs no account. Read it in this order:
``second_factor.py`` is what the calls of workos_mfa come to, ``views.py`` the pages around it,
``accounts.py`` and ``limits.py`` what an app has to remember, ``security.py`` what every page needs,
and ``app.py`` puts them together.

Three things it does not protect from, and your app has to:

- A browser that was signed in before the first factor was enrolled stays signed in. It can add a factor of its own
  without a code, and with that one remove the others. End the other sessions of an account when its factors change,
  and ask for a code before another factor is added.
- The session is in the cookie alone, so a copy of it still works after the sign-out. Keep sessions on the server side,
  and delete them there.
- One account can order a text message every minute: 1,440 a day. Limit the hour and the day too, as
  ``docs/limits.md`` does.
"""
