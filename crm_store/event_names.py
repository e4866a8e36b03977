"""The names of events that Sampark itself understands; a club may record any others."""

LEAD_CREATED = "lead_created"
STAGE_CHANGED = "stage_changed"
MEMBERSHIP_RENEWED = "membership_renewed"
MEMBERSHIP_CANCELLED = "membership_cancelled"

RECORDED_HERE = (LEAD_CREATED, STAGE_CHANGED, MEMBERSHIP_RENEWED, MEMBERSHIP_CANCELLED)
"""What an import or the command line writes down by these names."""
