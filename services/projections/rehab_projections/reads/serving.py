"""Adds the services of the single read models to the server."""

from __future__ import annotations

import grpc

from rehab.projections.v1 import (
    billing_service_pb2_grpc,
    progress_service_pb2_grpc,
    vitals_service_pb2_grpc,
    work_service_pb2_grpc,
)
from rehab_projections.asked import Asked
from rehab_projections.board import Board
from rehab_projections.reads.billing_servicer import BillingServicer
from rehab_projections.reads.progress_servicer import ProgressServicer
from rehab_projections.reads.vitals_servicer import VitalsServicer
from rehab_projections.reads.work_servicer import WorkServicer
from rehab_projections.watch import Watches

SERVICES = [
    f"rehab.projections.v1.{name}Service" for name in ("Vitals", "Billing", "Progress", "Work")
]


def add(asked: Asked, watches: Watches, board: Board, server: grpc.aio.Server) -> list[str]:
    """The names of the services are told. What the board has judged is shared."""
    progress, work = ProgressServicer(asked, watches), WorkServicer(asked, watches, board)
    vitals, billing = VitalsServicer(asked, watches), BillingServicer(asked, watches)
    vitals_service_pb2_grpc.add_VitalsServiceServicer_to_server(vitals, server)
    billing_service_pb2_grpc.add_BillingServiceServicer_to_server(billing, server)
    progress_service_pb2_grpc.add_ProgressServiceServicer_to_server(progress, server)
    work_service_pb2_grpc.add_WorkServiceServicer_to_server(work, server)
    return SERVICES
