"""Cloud accounts and environments."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, identifier, text_enum
from app.identity.models import Team


class Stage(StrEnum):
    SANDBOX = "sandbox"
    DEV = "dev"
    TEST = "test"
    STAGING = "staging"
    PROD = "prod"


class Account(Base):
    """A cloud account the portal may assume a role in."""

    __tablename__ = "account"

    id: Mapped[identifier]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    number: Mapped[str] = mapped_column(String(12), unique=True)
    role_arn: Mapped[str] = mapped_column(String(200))
    regions: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class Environment(Base):
    """A place: stage, account, region, owning team. Without a team it is open to every team."""

    __tablename__ = "environment"

    id: Mapped[identifier]
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    stage: Mapped[Stage] = mapped_column(text_enum(Stage, "stage_is_known"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    region: Mapped[str] = mapped_column(String(32))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), index=True)
    created_at: Mapped[datetime]

    account: Mapped[Account] = relationship()
    team: Mapped[Team | None] = relationship()
