/** The metrics of the sidecar's process and of its storage. The names `otelcol_process_*` are the stock Collector's. */
import type { BudgetedLabel } from '../metric.ts';
import { storageFailures } from '../reasons.ts';
import { extension, sidecarMetrics } from './sidecar-metric.ts';

const file: BudgetedLabel = { maxValues: 10, description: 'name of the file', fromConfiguration: true };

export const sidecarProcessMetrics = sidecarMetrics({
  siphon_file_storage_errors: {
    kind: 'counter',
    unit: '{error}',
    description: 'Times that a space of the storage could not be opened, read or written',
    labels: { extension, file, reason: storageFailures },
    startsAtZero: { reason: storageFailures },
  },
  siphon_file_storage_set_aside_files: {
    kind: 'counter',
    unit: '{file}',
    description: 'Corrupt files that were renamed and replaced by an empty file',
    labels: { extension, file },
    startsAtZero: {},
  },
  siphon_file_storage_size_bytes: {
    kind: 'gauge',
    unit: 'By',
    description: 'Size of the file of a space, with its log',
    labels: { extension, file },
  },
  siphon_config_reloads: {
    kind: 'counter',
    unit: '{reload}',
    description: 'Reloads of the configuration; after a failed one the old configuration stays in use',
    labels: { outcome: ['succeeded', 'failed'] },
    startsAtZero: { outcome: ['succeeded', 'failed'] },
  },
  siphon_config_last_load_timestamp_seconds: {
    kind: 'gauge',
    unit: 's',
    description: 'Unix time at which the running configuration was loaded',
    labels: {},
  },
  siphon_uncaught_errors: {
    kind: 'counter',
    unit: '{error}',
    description: 'Uncaught errors; siphon keeps running',
    labels: {},
  },
  siphon_log_lines_lost: {
    kind: 'counter',
    unit: '{line}',
    description: 'Log lines that could not be written, because the disk is full or the pipe is not read',
    labels: {},
  },
  siphon_log_lines_suppressed: {
    kind: 'counter',
    unit: '{line}',
    description: 'Log lines that were not written, because there were too many of one message or level',
    labels: {},
  },
  otelcol_process_uptime: {
    kind: 'counter',
    unit: 's',
    description: 'Uptime of the process',
    labels: {},
  },
  otelcol_process_cpu_seconds: {
    kind: 'counter',
    unit: 's',
    description: 'Total CPU user and system time in seconds',
    labels: {},
  },
  otelcol_process_memory_rss: {
    kind: 'gauge',
    unit: 'By',
    description: 'Total physical memory (resident set size)',
    labels: {},
  },
  otelcol_process_runtime_heap_alloc_bytes: {
    kind: 'gauge',
    unit: 'By',
    description: 'Bytes of allocated heap objects and of buffers',
    labels: {},
  },
  otelcol_process_runtime_total_sys_memory_bytes: {
    kind: 'gauge',
    unit: 'By',
    description: 'Total bytes of memory that V8 holds for its heap and for buffers',
    labels: {},
  },
});
