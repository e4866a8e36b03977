"""The files that the acceptance tests import, as another program would export them."""

MEMBERS = """\
Member No,First Name,Last Name,Email,Mobile,Date of Birth,Preferred Language,Email Opt Out
M-1,Asha,Verma,Asha@Example.org,98765 43210,1992-11-22,hi,no
M-2,Ravi,Iyer,ravi@example.org,98765 43211,1988-03-05,en,yes
M-3,Neha,Rao,neha@example.org,98765 43212,1990-01-05,en,no
M-4,Kabir,Das,not-an-address,98765 43213,1990-01-05,en,no
"""
TERMS = """\
Member No,Plan,Start Date,End Date,Auto Renewal
M-1,annual,2025-12-23,2026-12-22,no
M-2,annual,2025-12-23,2026-12-22,no
M-3,annual,2025-12-23,2026-12-22,no
M-9,annual,2025-12-23,2026-12-22,no
"""
