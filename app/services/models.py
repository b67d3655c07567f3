"""Services."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, identifier
from app.identity.models import Team


class Service(Base):
    """What a team builds and runs."""

    __tablename__ = "service"

    id: Mapped[identifier]
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), index=True)
    tier: Mapped[int] = mapped_column(default=3)
    created_at: Mapped[datetime]

    team: Mapped[Team | None] = relationship()
