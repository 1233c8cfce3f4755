// A program that is traced by OpenTelemetry's SDK for Node; says the id of its trace. The exporter
// of this package writes JSON; OTEL_EXPORTER_OTLP_ENDPOINT and _COMPRESSION say where and how.
'use strict';

const { SpanKind, SpanStatusCode, context, trace } = require('@opentelemetry/api');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');

const provider = new BasicTracerProvider({
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
const tracer = provider.getTracer('shop');

const root = tracer.startSpan('POST /order', {
  kind: SpanKind.SERVER,
  attributes: {
    'aws.local.service': 'node shop',
    'http.request.method': 'POST',
    'url.scheme': 'http',
    'server.address': 'shop.local',
    'url.path': '/order',
    'http.response.status_code': 500,
    answer: 42,
    half: 0.5,
    'is.new': true,
    basket: ['tea', 'milk'],
  },
});
const below = trace.setSpan(context.active(), root);
const work = tracer.startSpan('work', {}, below);
work.recordException(new TypeError('on purpose'));
work.setStatus({ code: SpanStatusCode.ERROR, message: 'on purpose' });
work.end();
tracer
  .startSpan('GET', { kind: SpanKind.CLIENT, attributes: { 'url.full': 'http://stock.local/a' } }, below)
  .end();
root.end();
provider.shutdown().then(() => console.log(root.spanContext().traceId));
