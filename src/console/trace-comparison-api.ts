import { jsonText } from '../engine/json-text.ts';
import type { AskQuery, QueryAnswer, QueryApi } from '../engine/query-apis.ts';
import type { Trace } from '../engine/stored-telemetry.ts';
import { comparedTraces } from './trace-comparison.ts';
import { idPairOf } from './trace-pair.ts';

/** Answers `/api/trace-comparison/ID...ID` with a `TraceComparison`. */
export class TraceComparisonApi implements QueryApi {
  readonly prefix = '/api/trace-comparison/';
  readonly #ask: AskQuery;

  constructor(ask: AskQuery) {
    this.#ask = ask;
  }

  async answer(path: string, _parameters: URLSearchParams, hasRoom: () => boolean): Promise<QueryAnswer> {
    const ids = idPairOf(path.slice(this.prefix.length));
    if (ids === undefined) return { status: 400, body: jsonText({ error: 'give two trace ids, as in ID...ID' }) };
    const traces: Trace[] = [];
    for (const id of ids) {
      const { status, body } = await this.#ask(`/api/traces/${id}`, new URLSearchParams(), hasRoom);
      if (status !== 200) return { status, body };
      traces.push(JSON.parse(body) as Trace);
    }
    const [first, second] = traces as [Trace, Trace];
    return { status: 200, body: jsonText(comparedTraces(first, second)) };
  }
}
