"""The people who can sign in: a table that knows nothing of second factors."""

from __future__ import annotations

from flask_login import UserMixin
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from werkzeug.security import check_password_hash, generate_password_hash

_NOBODYS_HASH = generate_password_hash("")


class Base(DeclarativeBase):
    """The app's tables."""


class User(UserMixin, Base):
    """A person."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


def sign_up(session: Session, email: str, password: str) -> User | None:
    """Add a person; None if there is one of this address."""
    user = User(email=email.lower(), password_hash=generate_password_hash(password))
    session.add(user)
    try:
        session.commit()
    except IntegrityError:
        return None
    return user


def check_password(session: Session, email: str, password: str) -> User | None:
    """The person, if the password is right. It takes as long for an address that nobody has."""
    user = session.scalar(select(User).where(User.email == email.lower()))
    right = check_password_hash(user.password_hash if user else _NOBODYS_HASH, password)
    return user if right else None
