"""People, the teams they belong to, the roles they hold, and the sessions and tokens that speak for them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, identifier, text_enum


class PersonStatus(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class Role(StrEnum):
    DEVELOPER = "developer"
    CURATOR = "curator"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMIN = "admin"


class ScopeType(StrEnum):
    ORGANISATION = "organisation"
    UNIT = "unit"
    TEAM = "team"


class Unit(Base):
    """A part of the organisation; units form a tree, teams hang in it."""

    __tablename__ = "unit"

    id: Mapped[identifier]
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)


class Team(Base):
    """A group of people that owns things. Its members follow the identity provider's group, if it names one."""

    __tablename__ = "team"

    id: Mapped[identifier]
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    idp_group: Mapped[str | None] = mapped_column(String(200), unique=True)
    cost_center: Mapped[str] = mapped_column(String(100), default="")
    chat: Mapped[str] = mapped_column(String(200), default="")


class Person(Base):
    """Somebody who signs in. Identity is (issuer, subject), never the mail address; rows are never deleted."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("issuer", "subject", name="uq_person_issuer_subject"),)

    id: Mapped[identifier]
    username: Mapped[str] = mapped_column(String(200), index=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320), default="")
    status: Mapped[PersonStatus] = mapped_column(text_enum(PersonStatus, "status_is_known"))
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    memberships: Mapped[list["Membership"]] = relationship(back_populates="person")
    open_memberships: Mapped[list["Membership"]] = relationship(
        primaryjoin="and_(Membership.person_id == Person.id, Membership.ended_at.is_(None))",
        order_by="Membership.id",
        viewonly=True,
    )
    grants: Mapped[list["RoleGrant"]] = relationship(back_populates="person")

    @property
    def is_active(self) -> bool:
        return self.status == PersonStatus.ACTIVE

    @property
    def teams(self) -> list[Team]:
        """The teams the person belongs to today."""
        return [membership.team for membership in self.open_memberships]


class Membership(Base):
    """A person's time in a team; open while `ended_at` is empty."""

    __tablename__ = "membership"
    __table_args__ = (
        Index(
            "uq_membership_one_open",
            "team_id",
            "person_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[identifier]
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    source: Mapped[str] = mapped_column(String(16), default="idp")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(back_populates="memberships")
    team: Mapped[Team] = relationship()


class RoleGrant(Base):
    """A role held by a person in a scope; `scope_id` is empty for the whole organisation."""

    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("person_id", "role", "scope_type", "scope_id", name="uq_role_grant_once"),)

    id: Mapped[identifier]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[Role] = mapped_column(text_enum(Role, "role_is_known"))
    scope_type: Mapped[ScopeType] = mapped_column(text_enum(ScopeType, "scope_type_is_known"))
    scope_id: Mapped[int | None]
    created_at: Mapped[datetime]

    person: Mapped[Person] = relationship(back_populates="grants")


class Session(Base):
    """A browser's session. The cookie holds a random token, the row only its hash; ending the row ends the session."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_provider", "issuer", "provider_sid"),)

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(500), default="")
    provider_sid: Mapped[str | None] = mapped_column(String(255))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    # What the browser calls itself, so that people can tell their sessions apart. Never trusted.
    agent: Mapped[str] = mapped_column(String(300), default="")
    id_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]

    person: Mapped[Person | None] = relationship()


class ApiToken(Base):
    """A bearer token; only its hash is kept, the prefix tells tokens apart on a page."""

    __tablename__ = "api_token"

    id: Mapped[identifier]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(16))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship()
