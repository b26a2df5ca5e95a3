/**
 * The parts of the OpenTelemetry SDK that make the page of own metrics, in their CommonJS form: the ES form imports
 * `http`, which costs what `net/node-http.ts` tells.
 */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

export const { PrometheusExporter, PrometheusSerializer } = load(
  '@opentelemetry/exporter-prometheus',
) as typeof import('@opentelemetry/exporter-prometheus');

export const { resourceFromAttributes } = load('@opentelemetry/resources') as typeof import('@opentelemetry/resources');

export const { MeterProvider } = load('@opentelemetry/sdk-metrics') as typeof import('@opentelemetry/sdk-metrics');
