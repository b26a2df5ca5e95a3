import type { ConnectorFactory } from '../../../engine/component.ts';
import { spanMetricsConfig, type SpanMetricsConfig } from './config.ts';
import { SpanMetricsConnector } from './connector.ts';

export const spanMetricsConnector: ConnectorFactory<SpanMetricsConfig> = {
  kind: 'connector',
  type: 'span_metrics',
  aliases: ['spanmetrics'],
  signals: ['traces'],
  emits: ['metrics'],
  stability: 'development',
  config: spanMetricsConfig,
  create: (settings, config, next) => new SpanMetricsConnector(settings, config, next),
};
