"""Whether the process lives, whether it can serve, and its figures."""

import ipaddress

import prometheus_client
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from .client import client_address


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; looks at nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the parts a page needs are reachable, 503 naming the one that isn't (1 query)."""
    parts = {"database": "ok"}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        parts["database"] = "unreachable"
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse(parts, status=200 if ready else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """This process's figures in Prometheus format, for this machine and private networks only."""
    try:
        outside = ipaddress.ip_address(client_address(request)).is_global
    except ValueError:
        outside = True
    if outside:
        raise Http404
    return HttpResponse(prometheus_client.generate_latest(), content_type=prometheus_client.CONTENT_TYPE_LATEST)
