"""The names of events that Sampark itself understands; a club may record any others."""

LEAD_CREATED = "lead_created"
STAGE_CHANGED = "stage_changed"
