import {
  bars,
  events,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  stat,
  unknownWhenEmpty,
  unusedWhenEmpty,
} from '../../../dashboards/model/panel.ts';
import { step } from '../../../dashboards/model/variables.ts';
import { max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { happened } from '../../../dashboards/promql/arithmetic.ts';
import { queueFill, scrapeJobs } from './expressions.ts';
import { increase, latest, rate } from './promql.ts';
import { thresholds } from '../thresholds.ts';

const notScraped = unknownWhenEmpty('the sidecar\u2019s own metrics are not scraped');

export const telemetry: Row = {
  title: 'Telemetry',
  panels: [
    stat({
      title: 'Pages that answer',
      description: '1 if the last scrape succeeded: of the scrape endpoint, and of the sidecar\u2019s own metrics.',
      queries: [show(min(latest('up', { job: scrapeJobs }), ['job']), ({ job }) => job)],
      thresholds: thresholds.target_up,
      empty: unknownWhenEmpty('Prometheus has no target of siphon'),
      width: 4,
      height: 7,
    }),
    lines({
      title: 'Points received and shown',
      description: 'Data points that receivers accepted and that exporters delivered.',
      queries: [
        show(
          sum(rate('otelcol_receiver_accepted_metric_points', step), ['receiver']),
          ({ receiver }) => `received ${receiver}`,
        ),
        show(
          sum(rate('otelcol_exporter_sent_metric_points', step), ['exporter']),
          ({ exporter }) => `delivered ${exporter}`,
        ),
      ],
      min: 0,
      empty: notScraped,
      width: 5,
      height: 7,
    }),
    lines({
      title: 'Spans received and delivered',
      description: 'Spans that receivers accepted and that exporters delivered. The difference is queued or lost.',
      queries: [
        show(
          sum(rate('otelcol_receiver_accepted_spans', step), ['receiver']),
          ({ receiver }) => `received ${receiver}`,
        ),
        show(sum(rate('otelcol_exporter_sent_spans', step), ['exporter']), ({ exporter }) => `delivered ${exporter}`),
      ],
      min: 0,
      empty: notScraped,
      width: 5,
      height: 7,
    }),
    events({
      title: 'Turned away',
      description:
        'Rejected requests by the reason in the response, and points and spans that pipelines refused (memory: by the memory limiter). Senders retry refused data, but not malformed requests.',
      queries: [
        show(sum(increase('siphon_receiver_rejected_requests', step), ['reason']), ({ reason }) => reason),
        show(sum(increase('otelcol_receiver_refused_metric_points', step)), 'points refused'),
        show(sum(increase('otelcol_receiver_refused_spans', step)), 'spans refused'),
        show(sum(increase('otelcol_processor_memory_limiter_refused_metric_points', step)), 'points, memory'),
        show(sum(increase('otelcol_processor_memory_limiter_refused_spans', step)), 'spans, memory'),
      ],
      empty: notScraped,
      width: 5,
      height: 7,
    }),
    events({
      title: 'Lost',
      description: 'Items that were accepted and then lost, by reason. This panel should be empty.',
      queries: [show(happened(sum(increase('siphon_dropped_items', step), ['reason'])), ({ reason }) => reason)],
      thresholds: thresholds.data_dropped,
      empty: healthyWhenEmpty('nothing was lost'),
      width: 5,
      height: 7,
    }),
    bars({
      title: 'Queues',
      description: 'Fill level of the exporters\u2019 queues. A full queue drops data.',
      queries: [show(queueFill(['exporter', 'data_type']), ({ exporter, data_type }) => `${exporter} ${data_type}`)],
      thresholds: thresholds.queue_fill,
      min: 0,
      max: 1,
      empty: unknownWhenEmpty('no exporter has a queue'),
      width: 4,
      height: 7,
    }),
    events({
      title: 'Could not be delivered',
      description: 'Points and spans that exporters could not deliver, or that found the queue full.',
      queries: [
        show(
          sum(increase('otelcol_exporter_send_failed_metric_points', step), ['exporter']),
          ({ exporter }) => `points ${exporter}`,
        ),
        show(
          sum(increase('otelcol_exporter_send_failed_spans', step), ['exporter']),
          ({ exporter }) => `spans ${exporter}`,
        ),
        show(
          sum(increase('otelcol_exporter_enqueue_failed_spans', step), ['exporter']),
          ({ exporter }) => `queue full ${exporter}`,
        ),
      ],
      empty: notScraped,
      width: 4,
      height: 7,
    }),
    lines({
      title: 'Series on the scrape page',
      description: 'Series on the scrape endpoint. The next panel shows points that the series limit dropped.',
      queries: [show(sum(latest('siphon_prometheus_series'), ['exporter']), ({ exporter }) => exporter)],
      min: 0,
      empty: notScraped,
      width: 3,
      height: 7,
    }),
    events({
      title: 'Points that are not on the page',
      description:
        'Dropped points by reason. max_series, max_series_bytes: raise the limit, or find the label that grows; type_conflict: two services use one name for metrics of different types.',
      queries: [
        show(happened(sum(increase('siphon_prometheus_dropped_points', step), ['reason'])), ({ reason }) => reason),
      ],
      empty: healthyWhenEmpty('every point is shown'),
      width: 4,
      height: 7,
    }),
    events({
      title: 'What did not reach Sentry',
      description:
        'Transactions, spans and errors that were not delivered, by reason. ratelimit_backoff: the quota is used up; network_error: Sentry is not reachable.',
      queries: [
        show(
          happened(sum(increase('siphon_sentry_dropped_items', step), ['category', 'reason'])),
          ({ category, reason }) => `${category} ${reason}`,
        ),
      ],
      empty: healthyWhenEmpty('nothing was lost'),
      width: 5,
      height: 7,
    }),
    events({
      title: 'What Sentry has taken',
      description: 'Transactions, spans and errors that Sentry accepted.',
      queries: [
        show(
          sum(increase('siphon_sentry_sent_items', step, { category: ['transaction', 'error'] }), ['category']),
          ({ category }) => category,
        ),
      ],
      empty: unusedWhenEmpty('nothing was sent'),
      width: 4,
      height: 7,
    }),
    lines({
      title: 'Time of a scrape',
      description: 'Duration of the scrapes, by job.',
      queries: [show(max(latest('scrape_duration_seconds', { job: scrapeJobs }), ['job']), ({ job }) => job)],
      thresholds: thresholds.scrape_duration,
      min: 0,
      empty: unknownWhenEmpty('Prometheus has no target of siphon'),
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Memory of the sidecar',
      description: 'Resident memory of the sidecar, and its heap.',
      queries: [
        show(max(latest('otelcol_process_memory_rss'), ['instance']), ({ instance }) => `resident ${instance}`),
        show(
          max(latest('otelcol_process_runtime_heap_alloc_bytes'), ['instance']),
          ({ instance }) => `heap ${instance}`,
        ),
      ],
      min: 0,
      empty: notScraped,
      width: 6,
      height: 7,
    }),
    lines({
      title: 'CPU of the sidecar',
      description: 'CPU time of the sidecar as a share of one core.',
      queries: [show(sum(rate('otelcol_process_cpu_seconds', step), ['instance']), ({ instance }) => instance)],
      min: 0,
      empty: notScraped,
      width: 6,
      height: 7,
    }),
    events({
      title: 'Uncaught errors',
      description: 'Bugs in the sidecar. Please report them.',
      queries: [show(sum(increase('siphon_uncaught_errors', step), ['instance']), ({ instance }) => instance)],
      empty: notScraped,
      width: 6,
      height: 7,
    }),
  ],
};
