"""For tests of programs that use the SDK: a server of the suite in this process.

with FakeRehab() as fake, Rehab.connect(**fake.addresses, token=token) as client:
    ...
"""

from rehab_sdk.testing.fake import FakeRehab
from rehab_sdk.testing.refusals import Refusal

__all__ = ["FakeRehab", "Refusal"]
