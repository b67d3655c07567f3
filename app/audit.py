"""The record of who did what: one entry for each change, written in the change's own transaction."""

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, db
from app.db import Base, identifier, line


class AuditEntry(Base):
    """One thing somebody or something did, with the values before and after (never a secret)."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject", "subject_type", "subject_ref"),)

    id: Mapped[identifier]
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(64))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_ref: Mapped[str] = mapped_column(String(100))
    outcome: Mapped[str] = mapped_column(String(16), default="ok")
    summary: Mapped[line]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    request_id: Mapped[str | None] = mapped_column(String(64))


def record(
    action: str,
    subject_type: str,
    subject_ref: str,
    summary: str,
    *,
    by: Any = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    outcome: str = "ok",
) -> AuditEntry:
    """Add the entry to the current transaction. `by` is a person, or None for the portal itself."""
    entry = AuditEntry(
        occurred_at=clock.now(),
        person_id=by.id if by else None,
        actor=by.name if by else "Slipway",
        action=action,
        subject_type=subject_type,
        subject_ref=subject_ref,
        outcome=outcome,
        summary=summary[:500],
        before=before,
        after=after,
        request_id=structlog.contextvars.get_contextvars().get("request_id"),
    )
    db.session.add(entry)
    return entry
