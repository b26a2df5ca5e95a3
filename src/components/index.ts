import type { Factory } from '../engine/component.ts';
import { spanMetricsConnector } from './connectors/span-metrics/factory.ts';
import { debugExporter } from './exporters/debug/factory.ts';
import { otlpHttpExporter } from './exporters/otlp-http/factory.ts';
import { prometheusExporter } from './exporters/prometheus/factory.ts';
import { sentryExporter } from './exporters/sentry/factory.ts';
import { telemetryStoreExporter } from './exporters/telemetry-store/factory.ts';
import { basicAuthExtension } from './extensions/basic-auth/factory.ts';
import { bearerTokenAuthExtension } from './extensions/bearer-token-auth/factory.ts';
import type { ConsoleContent } from './extensions/console/extension.ts';
import { consoleExtension } from './extensions/console/factory.ts';
import type { PageFiles } from './extensions/console/page.ts';
import { fileStorageExtension } from './extensions/file-storage/factory.ts';
import { healthCheckExtension } from './extensions/health-check/factory.ts';
import { metricsHistoryExtension } from './extensions/metrics-history/factory.ts';
import type { ReadPackRules } from './extensions/metrics-history/rules/read-rules.ts';
import { pprofExtension } from './extensions/pprof/factory.ts';
import { zpagesExtension } from './extensions/zpages/factory.ts';
import { batchProcessor } from './processors/batch/factory.ts';
import { exemplarsProcessor } from './processors/exemplars/factory.ts';
import { memoryLimiterProcessor } from './processors/memory-limiter/factory.ts';
import { filterProcessor } from './processors/filter/factory.ts';
import { probabilisticSamplerProcessor } from './processors/probabilistic-sampler/factory.ts';
import { tailSamplingProcessor } from './processors/tail-sampling/factory.ts';
import { dbPollerReceiver } from './receivers/db-poller/factory.ts';
import type { DatabasePack } from './receivers/db-poller/query.ts';
import { otlpReceiver } from './receivers/otlp/factory.ts';
import { sqlqueryReceiver } from './receivers/sqlquery/factory.ts';

export type { ConsoleContent, PageFiles, ReadPackRules };

/**
 * All components of siphon. None registers itself.
 *
 * @param packs the packs whose queries `db_poller` can run.
 * @param content what `console` shows; without it, the console answers only queries.
 * @param readPackRules the rules of packs that `metrics_history` evaluates; without it, it has only those of files.
 */
export const componentFactories = (
  packs: readonly DatabasePack[],
  content: ConsoleContent = {
    readPage: async () => new Map(),
    views: [],
    composed: () => [],
    textView: () => undefined,
  },
  readPackRules: ReadPackRules = async () => [],
): readonly Factory[] => [
  otlpReceiver,
  dbPollerReceiver(packs),
  sqlqueryReceiver,
  memoryLimiterProcessor,
  batchProcessor,
  exemplarsProcessor,
  filterProcessor,
  probabilisticSamplerProcessor,
  tailSamplingProcessor,
  spanMetricsConnector,
  prometheusExporter,
  otlpHttpExporter,
  sentryExporter,
  telemetryStoreExporter,
  debugExporter,
  healthCheckExtension,
  basicAuthExtension,
  bearerTokenAuthExtension,
  fileStorageExtension,
  metricsHistoryExtension(readPackRules),
  consoleExtension(content),
  pprofExtension,
  zpagesExtension,
];
