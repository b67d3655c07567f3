"""Templates and their versions."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, identifier, line, prose, text_enum
from app.identity.models import Team


class VersionStatus(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


# Nobody relies on a version before it is published, so until then its body may still change.
UNPUBLISHED = (VersionStatus.DRAFT, VersionStatus.IN_REVIEW)


class Template(Base):
    """An entry of the service catalog: something approved that teams may launch."""

    __tablename__ = "template"

    id: Mapped[identifier]
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    summary: Mapped[line]
    category: Mapped[str] = mapped_column(String(100), index=True)
    icon: Mapped[str] = mapped_column(String(64), default="stack-2")
    keywords: Mapped[list[str]] = mapped_column(JSON)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), index=True)
    support: Mapped[dict[str, Any]] = mapped_column(JSON)
    tags: Mapped[list[str]] = mapped_column(JSON)
    readme: Mapped[prose]
    changelog: Mapped[prose]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    team: Mapped[Team] = relationship()
    versions: Mapped[list["Version"]] = relationship(back_populates="template", order_by="Version.position.desc()")
    recommended: Mapped["Version | None"] = relationship(
        primaryjoin="and_(Version.template_id == Template.id, Version.is_recommended)", viewonly=True
    )


class Version(Base):
    """One immutable revision of a template: body, documentation, digest."""

    __tablename__ = "version"
    __table_args__ = (
        UniqueConstraint("template_id", "number", name="uq_version_number_per_template"),
        UniqueConstraint("template_id", "position", name="uq_version_position_per_template"),
        Index(
            "uq_version_one_recommended",
            "template_id",
            unique=True,
            sqlite_where=text("is_recommended"),
            postgresql_where=text("is_recommended"),
        ),
    )

    id: Mapped[identifier]
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    number: Mapped[str] = mapped_column(String(32))
    position: Mapped[int]
    status: Mapped[VersionStatus] = mapped_column(text_enum(VersionStatus, "status_is_known"))
    status_reason: Mapped[line] = mapped_column(default="")
    is_recommended: Mapped[bool] = mapped_column(default=False)
    changes: Mapped[line] = mapped_column(default="")
    body: Mapped[prose] = mapped_column(deferred=True)
    digest: Mapped[str] = mapped_column(String(64))
    released_on: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime]

    template: Mapped[Template] = relationship(back_populates="versions")

    @property
    def may_be_launched(self) -> bool:
        """Deprecated versions are updated but no longer launched."""
        return self.status == VersionStatus.PUBLISHED

    @property
    def may_be_updated_to(self) -> bool:
        return self.status in (VersionStatus.PUBLISHED, VersionStatus.DEPRECATED)
