/** Collects metrics while the process ends, when the collection of the SDK, which is asynchronous, never finishes. */
import { hrTime } from '@opentelemetry/core';
import { PeriodicExportingMetricReader, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics';

type HrTime = ReturnType<typeof hrTime>;

/** The parts of sdk-metrics 3.1 that are used here; the package is bundled, so they change only with its version. */
interface Collector {
  readonly ['_sharedState']: {
    readonly resource: ResourceMetrics['resource'];
    readonly meterSharedStates: ReadonlyMap<string, MeterState>;
  };
}
interface MeterState {
  readonly ['_instrumentationScope']: ResourceMetrics['scopeMetrics'][number]['scope'];
  readonly metricStorageRegistry: { getStorages(collector: Collector): readonly Storage[] };
}
interface Storage {
  getInstrumentDescriptor(): { readonly type: string };
  /** Holds what was recorded since the last collection. */
  readonly ['_deltaMetricStorage']: { readonly ['_activeCollectionStorage']: { readonly size: number } };
  collect(collector: Collector, time: HrTime): MetricData | undefined;
}

/** The garbage collector measures itself in every process. Its last measurements alone are not worth a delay. */
const RUNTIME_SCOPE = '@opentelemetry/instrumentation-runtime-node';

export class LastMetricsReader extends PeriodicExportingMetricReader {
  /**
   * The metrics of the instruments that recorded a value since the last collection, or undefined if none did. What is
   * observed by a callback, such as the memory, keeps its last exported value.
   */
  collectNow(): ResourceMetrics | undefined {
    const collector = this['_sdkMetricProducer'] as unknown as Collector | undefined;
    if (collector === undefined) return undefined;
    const { resource, meterSharedStates } = collector['_sharedState'];
    const scopeMetrics = [...meterSharedStates.values()]
      .map((meter) => ({ scope: meter['_instrumentationScope'], metrics: collectMeter(meter, collector) }))
      .filter(({ metrics }) => metrics.length > 0);
    const isWorthSending = scopeMetrics.some(({ scope }) => scope.name !== RUNTIME_SCOPE);
    return isWorthSending ? { resource, scopeMetrics } : undefined;
  }
}

function collectMeter({ metricStorageRegistry }: MeterState, collector: Collector): MetricData[] {
  const time = hrTime();
  return metricStorageRegistry
    .getStorages(collector)
    .filter((storage) => !storage.getInstrumentDescriptor().type.startsWith('OBSERVABLE_'))
    .filter((storage) => storage['_deltaMetricStorage']['_activeCollectionStorage'].size > 0)
    .flatMap((storage) => storage.collect(collector, time) ?? []);
}
