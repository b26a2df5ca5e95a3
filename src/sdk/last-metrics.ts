/** The last metrics of a process that ends. */
import { hrTime } from '@opentelemetry/core';
import {
  DataPointType,
  PeriodicExportingMetricReader,
  type CollectionResult,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { serviceMetrics } from '../metrics/service.ts';
import type { PointAdditions } from './metrics-serializer.ts';

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
interface Descriptor {
  readonly name: string;
  readonly type: string;
}
interface Storage {
  getInstrumentDescriptor(): Descriptor;
  /** Holds what was recorded since the last collection. */
  readonly ['_deltaMetricStorage']: { readonly ['_activeCollectionStorage']: { readonly size: number } };
  collect(collector: Collector, time: HrTime): MetricData | undefined;
}

/** The garbage collector measures itself in every process. Its last measurements alone are not worth a delay. */
const RUNTIME_SCOPE = '@opentelemetry/instrumentation-runtime-node';

const RECORDED: ReadonlySet<string> = new Set(['COUNTER', 'GAUGE', 'HISTOGRAM']);

const STATES: ReadonlySet<string> = new Set(['OBSERVABLE_GAUGE', 'OBSERVABLE_UP_DOWN_COUNTER', 'UP_DOWN_COUNTER']);

/** The start of a process remains true after its end, and dates what it has counted. */
const LASTING: ReadonlySet<string> = new Set([serviceMetrics.service_start_timestamp_seconds.name]);

export class LastMetricsReader extends PeriodicExportingMetricReader {
  /** The last collection, until the states of the process are withdrawn. */
  #collected: ResourceMetrics | undefined;
  /** Collections whose export may not have begun: the process may end between their steps. */
  #inFlight = 0;

  override async collect(options?: Parameters<PeriodicExportingMetricReader['collect']>[0]): Promise<CollectionResult> {
    this.#inFlight++;
    try {
      const result = await super.collect(options);
      this.#collected = result.resourceMetrics;
      return result;
    } finally {
      // The export begins in this turn of the event loop.
      setImmediate(() => this.#inFlight--).unref();
    }
  }

  /**
   * The metrics of the instruments that recorded a value since the last collection, without states, or undefined if none
   * did. The collection of the SDK is asynchronous and never finishes in `exit`, so that values of one in flight count
   * too. If its export has begun, they are sent twice, which does no harm to totals.
   */
  collectNow(): ResourceMetrics | undefined {
    const collector = this['_sdkMetricProducer'] as unknown as Collector | undefined;
    if (collector === undefined) return undefined;
    const { resource, meterSharedStates } = collector['_sharedState'];
    const isDue = (storage: Storage): boolean => this.#inFlight > 0 || hasNewValues(storage);
    const scopeMetrics = [...meterSharedStates.values()]
      .map((meter) => ({ scope: meter['_instrumentationScope'], metrics: collectMeter(meter, collector, isDue) }))
      .filter(hasMetrics);
    const isWorthSending = scopeMetrics.some(({ scope }) => scope.name !== RUNTIME_SCOPE);
    return isWorthSending ? { resource, scopeMetrics } : undefined;
  }

  /**
   * The states of the process that were exported last, marked as ended: a receiver removes their series. Undefined if
   * they were withdrawn since the last export.
   */
  withdrawStates(): ResourceMetrics | undefined {
    const collected = this.#collected;
    this.#collected = undefined;
    if (collected === undefined) return undefined;
    const time = hrTime();
    const scopeMetrics = collected.scopeMetrics
      .map(({ scope, metrics }) => ({ scope, metrics: metrics.filter(isState).map((state) => ended(state, time)) }))
      .filter(hasMetrics);
    return scopeMetrics.length === 0 ? undefined : { ...collected, scopeMetrics };
  }
}

/**
 * True for what is so only as long as the process runs: the value of a callback, such as the memory, and what is counted up
 * and down, such as open connections. A gauge that the service records itself may be the result of a job, and stays.
 */
function isState({ descriptor, dataPointType }: MetricData): boolean {
  const { name, type } = descriptor as MetricData['descriptor'] & Descriptor;
  const isNumber = dataPointType === DataPointType.GAUGE || dataPointType === DataPointType.SUM;
  return isNumber && STATES.has(type) && !LASTING.has(name);
}

function ended(metric: MetricData, endTime: HrTime): MetricData {
  const addition: PointAdditions = { hasEnded: true };
  const dataPoints = metric.dataPoints.map((point) => ({ ...point, ...addition, endTime }));
  return { ...metric, dataPoints } as MetricData;
}

function hasMetrics({ metrics }: { readonly metrics: readonly MetricData[] }): boolean {
  return metrics.length > 0;
}

function hasNewValues(storage: Storage): boolean {
  return storage['_deltaMetricStorage']['_activeCollectionStorage'].size > 0;
}

function collectMeter(
  { metricStorageRegistry }: MeterState,
  collector: Collector,
  isDue: (storage: Storage) => boolean,
): MetricData[] {
  const time = hrTime();
  return metricStorageRegistry
    .getStorages(collector)
    .filter((storage) => RECORDED.has(storage.getInstrumentDescriptor().type))
    .filter(isDue)
    .flatMap((storage) => storage.collect(collector, time) ?? []);
}
