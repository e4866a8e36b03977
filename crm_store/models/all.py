"""Every table in one place, for migrations: importing this registers them all."""

from sqlmodel import SQLModel

from crm_store.models.activity import PackageBalance, Purchase, Visit
from crm_store.models.api_token import ApiToken
from crm_store.models.campaign import CampaignVersion, Enrollment
from crm_store.models.club import Club
from crm_store.models.consent import Consent, ConsentRecord, Suppression
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event
from crm_store.models.inbox import InboundMessage
from crm_store.models.membership import Membership, MembershipFreeze
from crm_store.models.operation import KeyMark, LedgerHome, LimitUse, Pause
from crm_store.models.segment import Segment, SegmentStay
from crm_store.models.staff_task import StaffTask
from crm_store.models.touchpoint import Touchpoint
from crm_store.models.tracked_link import TrackedLink

MODELS: tuple[type[SQLModel], ...] = (
    Club,
    Customer,
    CustomerTag,
    Membership,
    MembershipFreeze,
    Visit,
    Purchase,
    PackageBalance,
    Segment,
    SegmentStay,
    Event,
    InboundMessage,
    Consent,
    ConsentRecord,
    Suppression,
    CampaignVersion,
    Enrollment,
    Touchpoint,
    StaffTask,
    Pause,
    LimitUse,
    LedgerHome,
    KeyMark,
    TrackedLink,
    ApiToken,
)
metadata = SQLModel.metadata
