"""A task for the club's staff: call Asha."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime


class StaffTask(SQLModel, table=True):
    """Something for a person to do about a customer."""

    __tablename__ = "staff_task"
    __table_args__ = (Index("ix_staff_task_queue", "queue", "done_at", "due_at"),)

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", index=True, ondelete="CASCADE")
    enrollment_id: int | None = Field(
        default=None, foreign_key="enrollment.id", index=True, ondelete="CASCADE"
    )
    queue: str
    title: str
    due_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
