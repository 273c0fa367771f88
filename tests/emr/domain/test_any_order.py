"""Whatever another system sends as an order, it becomes a plan that the log takes or is refused."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rehab.events.v1 import event_pb2
from rehab_emr.domain.inbound import plan_of
from rehab_emr.domain.inbound_items import NotUnderstood
from rehab_runtime.validation import violations
from tests.emr.domain.given import LINKS
from tests.emr.domain.test_inbound import care_plan, detail, service_request

ORDERS = [
    care_plan(),
    care_plan(detail(), detail(status="stopped")),
    care_plan({"reference": {"reference": "#sr1"}}, contained=[service_request(id="sr1")]),
    service_request(),
]
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10_000),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["2026-03-02", "wk", "d", "mon", "active", "ServiceRequest", "min", "s"]),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("xyz"), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(told: Any) -> list[tuple[Any, Any]]:
    """Every place that holds something, by its holder."""
    found: list[tuple[Any, Any]] = []
    for where, value in told.items() if isinstance(told, dict) else enumerate(told):
        found.append((told, where))
        if isinstance(value, dict | list):
            found += places(value)
    return found


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_order_is_a_plan_or_is_refused(data: st.DataObject) -> None:
    content = copy.deepcopy(data.draw(st.sampled_from(ORDERS)))
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(content)
        if not found:
            break
        holder, where = data.draw(st.sampled_from(found))
        if isinstance(holder, dict) and data.draw(st.booleans()):
            del holder[where]
        else:
            holder[where] = data.draw(values)
    try:
        draft = plan_of(content, LINKS, zone="Europe/Berlin")
    except NotUnderstood:
        return
    assert violations(event_pb2.Body(plan=draft.plan)) == []
