import type { Logger } from 'pino';
import { unlessAborted } from '../../../../postgres/polling/unless-aborted.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import type { GaugeQuery, Remark, Schema, TableColumns } from '../query.ts';
import { publish, type Poll, type RunContext, type QueryRun } from '../run/query-run.ts';
import { askGauges, type Remarks } from './ask.ts';
import { GaugeSeries } from './series.ts';

/** Publishes the current values: each answer replaces the previous one. */
export class GaugeRun implements QueryRun {
  readonly #id: string;
  readonly #query: GaugeQuery;
  readonly #timeoutMs: number;
  readonly #context: RunContext;
  readonly #series: GaugeSeries;
  readonly #invalidCrons: SubjectReport;
  readonly #missingTables: SubjectReport;

  constructor(id: string, query: GaugeQuery, { timeoutMs }: { readonly timeoutMs: number }, context: RunContext) {
    this.#id = id;
    this.#query = query;
    this.#timeoutMs = timeoutMs;
    this.#context = context;
    this.#series = new GaugeSeries(query);
    const logger = context.logger.child({ query: id });
    this.#invalidCrons = new SubjectReport(logger, 'invalid_cron');
    this.#missingTables = new SubjectReport(logger, 'missing_table');
  }

  get needs(): TableColumns {
    return this.#query.needs;
  }

  async poll(schema: Schema, signal: AbortSignal): Promise<Poll> {
    const limits = { pool: this.#context.pool, timeoutMs: this.#timeoutMs, signal };
    const { rows, rowCount, durationMs, remarks } = await unlessAborted(signal, askGauges(this.#query, schema, limits));
    this.#report(remarks);
    await this.#publish(rows);
    return { durationMs, rows: rowCount };
  }

  async retract(): Promise<void> {
    await this.#publish([]);
  }

  #report(remarks: Remarks): void {
    const invalid = remarks.get('invalid_cron') ?? [];
    this.#context.metrics.dropped(this.#id, 'invalid_cron', invalid.length);
    this.#invalidCrons.found(invalid);
    this.#missingTables.found(remarks.get('missing_table') ?? []);
  }

  async #publish(rows: readonly Row[]): Promise<void> {
    const { metrics } = this.#context;
    const series = this.#series.fromRows(rows, {
      replaced: (label, reason, count) => metrics.replaced(this.#id, { label, reason, count }),
      dropped: (reason, count) => metrics.dropped(this.#id, reason, count),
    });
    await this.#series.publish(series, async (data) => await publish(this.#context, data));
  }
}

const MAX_NAMED = 10;

const sentences: Readonly<Record<Remark, { readonly found: string; readonly gone: string }>> = {
  invalid_cron: {
    found: 'Ignoring invalid or never-matching cron expressions',
    gone: 'All cron expressions are valid again',
  },
  missing_table: {
    found: 'Listed tables do not exist: they have no series',
    gone: 'All listed tables exist',
  },
};

/** Logs the subjects of a remark: whenever a new one is found, and once when none is left. */
export class SubjectReport {
  readonly #logger: Logger;
  readonly #remark: Remark;
  #known: ReadonlySet<string> = new Set();

  constructor(logger: Logger, remark: Remark) {
    this.#logger = logger;
    this.#remark = remark;
  }

  /** @param subjects all subjects of one poll. */
  found(subjects: readonly string[]): void {
    const before = this.#known;
    this.#known = new Set(subjects);
    const { found, gone } = sentences[this.#remark];
    if (subjects.some((subject) => !before.has(subject))) {
      this.#logger.warn({ subjects: subjects.slice(0, MAX_NAMED), count: subjects.length }, found);
    } else if (subjects.length === 0 && before.size > 0) {
      this.#logger.info(gone);
    }
  }
}
