import { dump } from 'js-yaml';
import type { Host } from '../../../engine/component.ts';
import { jsonText } from '../../../engine/json-text.ts';
import type { QueryAnswer, QueryApi } from '../../../engine/query-apis.ts';

/** Answers `/api/configuration`: the settings that run, without secrets, as `siphon print-config` prints them. */
export class ConfigurationApi implements QueryApi {
  readonly prefix = '/api/configuration';
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async answer(): Promise<QueryAnswer> {
    const configuration = this.#host.configuration() ?? {};
    const yaml = dump(configuration, { noRefs: true, lineWidth: -1 }).trimEnd();
    return { status: 200, body: jsonText({ yaml }) };
  }
}
