/**
 * Records exemplars in the metrics SDK, which has none: docs/decisions/0031-exemplars-in-the-process.md.
 * The package is bundled, so the parts that are used here change only with its version.
 */
import { diag, type Attributes, type Context } from '@opentelemetry/api';
import { KeptExemplars, type Exemplar, type ExemplarBudget } from './kept-exemplars.ts';
import { spanOfMeasurement } from './measured-span.ts';

/** Two exemplars each: at most 5 MiB. */
const MAX_BUCKETS = 20_000;

/** The garbage collector measures itself, in the context of whatever runs. */
const RUNTIME_SCOPE = '@opentelemetry/instrumentation-runtime-node';

/** OpenMetrics has no exemplars of other types. */
const INSTRUMENT_TYPES: ReadonlySet<string> = new Set(['COUNTER', 'HISTOGRAM']);

/** Observes every counter and histogram of a meter provider of the SDK, those that exist and those that are created later. */
export function recordExemplars(provider: object, budget: ExemplarBudget = { left: MAX_BUCKETS }): void {
  const { _sharedState: shared } = provider as { readonly _sharedState?: SharedState };
  if (shared === undefined) return;
  const observe = (meter: MeterState): void => {
    if (meter['_instrumentationScope'].name === RUNTIME_SCOPE || observed.has(meter)) return;
    observed.add(meter);
    observeMeter(meter, shared.metricCollectors, budget);
  };
  for (const meter of shared.meterSharedStates.values()) observe(meter);
  const getMeter = shared.getMeterSharedState.bind(shared);
  shared.getMeterSharedState = (scope) => {
    const meter = getMeter(scope);
    observe(meter);
    return meter;
  };
}

/** Meters and storages. */
const observed = new WeakSet<object>();

interface SharedState {
  readonly metricCollectors: readonly object[];
  readonly meterSharedStates: ReadonlyMap<string, MeterState>;
  getMeterSharedState(scope: MeterState['_instrumentationScope']): MeterState;
}

interface MeterState {
  readonly ['_instrumentationScope']: { readonly name: string };
  readonly metricStorageRegistry: { getStorages(collector: object): readonly Storage[] };
  registerMetricStorage(descriptor: object): Storage | { readonly ['_backingStorages']: readonly Storage[] };
}

/** The storage of a synchronous instrument. */
interface Storage {
  readonly ['_deltaMetricStorage']: {
    readonly ['_aggregator']: { readonly ['_boundaries']?: readonly number[] };
    readonly ['_activeCollectionStorage']: { ['_hash']: (attributes: Attributes) => string };
  };
  getInstrumentDescriptor(): { readonly type: string };
  record(value: number, attributes: Attributes, given: Context | undefined, timeMs: number): void;
  collect(...of: readonly unknown[]): { readonly dataPoints: readonly PointWithExemplars[] } | undefined;
}

/** A point of the SDK. Serializers that know no exemplars ignore them. */
export interface PointWithExemplars {
  readonly attributes: Attributes;
  readonly startTime: readonly [seconds: number, nanoseconds: number];
  exemplars?: readonly Exemplar[];
}

function observeMeter(meter: MeterState, collectors: readonly object[], budget: ExemplarBudget): void {
  const observe = (storage: Storage): void => {
    if (observed.has(storage) || !INSTRUMENT_TYPES.has(storage.getInstrumentDescriptor().type)) return;
    observed.add(storage);
    observeStorage(storage, budget);
  };
  for (const collector of collectors) meter.metricStorageRegistry.getStorages(collector).forEach(observe);
  const register = meter.registerMetricStorage.bind(meter);
  meter.registerMetricStorage = (descriptor) => {
    const storage = register(descriptor);
    ('_backingStorages' in storage ? storage['_backingStorages'] : [storage]).forEach(observe);
    return storage;
  };
}

/** A recorder uses frozen attributes again. */
const hashes = new WeakMap<Attributes, string>();

function hashOnce(attributes: Attributes, hash: (attributes: Attributes) => string): string {
  if (!Object.isFrozen(attributes)) return hash(attributes);
  const known = hashes.get(attributes) ?? hash(attributes);
  hashes.set(attributes, known);
  return known;
}

function observeStorage(storage: Storage, budget: ExemplarBudget): void {
  const measurements = storage['_deltaMetricStorage'];
  const exemplars = new KeptExemplars(measurements['_aggregator']['_boundaries'] ?? [], budget);
  const { _hash: hash } = measurements['_activeCollectionStorage'];
  let series = '';
  // The SDK computes the hash of the series of each measurement, that of the overflow included. Twice would cost too much.
  const rememberSeries = (attributes: Attributes): string => (series = hashOnce(attributes, hash));
  measurements['_activeCollectionStorage']['_hash'] = rememberSeries;

  const record = storage.record.bind(storage);
  storage.record = (value, attributes, given, timeMs) => {
    record(value, attributes, given, timeMs);
    try {
      const span = spanOfMeasurement(given);
      if (span !== undefined && Number.isFinite(value)) exemplars.add(series, value, timeMs, span);
    } catch (error) {
      // The context is that of the application.
      diag.debug('siphon: a measurement has no exemplar', error);
    }
  };

  const collect = storage.collect.bind(storage);
  storage.collect = (...of) => {
    const metric = collect(...of);
    // Each collection begins a new map.
    measurements['_activeCollectionStorage']['_hash'] = rememberSeries;
    for (const point of metric?.dataPoints ?? []) {
      const [seconds, nanoseconds] = point.startTime;
      point.exemplars = exemplars.of(hash(point.attributes), seconds * 1000 + Math.floor(nanoseconds / 1e6));
    }
    exemplars.beginInterval();
    return metric;
  };
}
