"""An OpenTelemetry collector's endpoint: takes OTLP over HTTP and decodes the protobuf with OpenTelemetry's own schema.

No collector is in Debian; what is sent is checked against the definitions, in a process of the test's own.
"""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_KINDS = {
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
}


def attributes(pairs):
    """Attributes as a dict."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


class Collector:
    """Listens on loopback while the context lasts.

    `spans`, `lines` are pairs of (service, message of the schema), `figures` (service, name) -> the newest metric.
    `raw` is all that came, as bytes.
    """

    def __init__(self):
        self.spans, self.lines, self.figures, self.raw = [], [], {}, b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                collector.take(_KINDS[self.path].FromString(body))
                collector.raw += body
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, request):
        """Put a request's content where it belongs."""
        for of_logs in getattr(request, "resource_logs", ()):
            service = attributes(of_logs.resource.attributes)["service.name"]
            self.lines += [(service, line) for scope in of_logs.scope_logs for line in scope.log_records]
        for of_spans in getattr(request, "resource_spans", ()):
            service = attributes(of_spans.resource.attributes)["service.name"]
            self.spans += [(service, span) for scope in of_spans.scope_spans for span in scope.spans]
        for of_metrics in getattr(request, "resource_metrics", ()):
            service = attributes(of_metrics.resource.attributes)["service.name"]
            metrics = [metric for scope in of_metrics.scope_metrics for metric in scope.metrics]
            self.figures |= {(service, metric.name): metric for metric in metrics}

    def counted(self, service, name):
        """The sum of a counter's points; None before it came."""
        metric = self.figures.get((service, name))
        return None if metric is None else sum(point.as_double for point in metric.sum.data_points)

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
