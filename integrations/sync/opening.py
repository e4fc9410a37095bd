"""A flow opened to look back or ahead: unlike ``serve.open_slice``, nothing is stored by opening it, nor by planning with it."""

from integrations import connections
from integrations.models import Flow, Run
from integrations.registry import FLOWS
from integrations.sync import due, serve
from integrations.sync.plan import MappingPlan
from integrations.sync.slices import Slice
from tenants.scoping import current_tenant_id


def nobody(flow: Flow) -> due.Lease:
    """A lease under which nothing can be written."""
    return due.Lease(flow_id=flow.id, tenant_id=current_tenant_id(), number=-1)


def opened(flow: Flow, lease: due.Lease, *, mapping: MappingPlan | None = None, run: Run | None = None) -> Slice:
    """Both sides, ready, under the flow's mapping or another. Sends nothing. Raises CustomerMustAct while a login is refused.

    Its time never ends, since it is not cut into slices: every batch renews the lease.
    """
    spec, mapping = FLOWS[flow.kind], mapping or serve.mapping_plan(flow)
    for connection in filter(None, (flow.source, flow.target)):
        connections.refuse_if_stopped(connection)
    source, key_prefix = serve.open_source(flow, spec, mapping.rules)
    return Slice(
        flow,
        lease,
        spec=spec,
        mapping=mapping,
        source=source,
        target=serve.open_target(flow),
        key_prefix=key_prefix,
        clock=lambda: 0.0,
        run=run,
    )


def lacks_fields(slice_: Slice) -> bool:
    """Whether the mapping needs fields that were not read when the records were: links do not remember them."""
    needed = serve.fields_read(slice_.spec, slice_.mapping.rules, slice_.flow.options)
    return not set(needed) <= set(slice_.flow.fields_read)
