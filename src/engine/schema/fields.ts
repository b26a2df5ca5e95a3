/** Schemas for the values in component configurations, in addition to those of valibot. */
import * as v from 'valibot';
import { parseDuration } from './duration.ts';
import { Secret, SecretPathUrl, SecretUrl } from './secret.ts';

/** A Go duration such as `1m30s`; becomes milliseconds. */
export function duration(): v.GenericSchema<unknown, number> {
  return v.pipe(
    v.unknown(),
    v.transform((input) => (input === 0 ? 0 : parseDuration(String(input)))),
    v.number('must be a duration such as 500ms, 10s or 1m30s'),
    v.minValue(0, 'must not be negative'),
  );
}

/** A duration that a Node timer supports. */
export function timerDuration(): v.GenericSchema<unknown, number> {
  return v.pipe(duration(), v.maxValue(2 ** 31 - 1, 'must be at most 596h'));
}

/** A duration above zero. */
export function positiveDuration(): v.GenericSchema<unknown, number> {
  return v.pipe(duration(), v.gtValue(0, 'must be longer than 0s'));
}

export function nonNegativeInteger(): v.GenericSchema<unknown, number> {
  return v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(0, 'must not be negative'));
}

export function positiveInteger(): v.GenericSchema<unknown, number> {
  return v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(1, 'must be at least 1'));
}

/** Text that must not be printed. */
export function secret(): v.GenericSchema<unknown, Secret> {
  return v.pipe(
    v.string(),
    v.transform((text) => new Secret(text)),
  );
}

/** A URL whose credentials must not be printed, also in another form that only the component can read. */
export function secretUrl(): v.GenericSchema<unknown, SecretUrl> {
  return v.pipe(
    v.string(),
    v.transform((text) => new SecretUrl(text)),
  );
}

/** A URL that is printed without its path, which is a secret. */
export function secretPathUrl(): v.GenericSchema<unknown, SecretPathUrl> {
  return v.pipe(
    v.string(),
    v.transform((text) => new SecretPathUrl(text)),
  );
}

/** The address where a server listens. The loader finds it by its class. */
export class Endpoint {
  readonly host: string;
  readonly port: number;

  constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
  }
}

/** True for the hosts that mean every address of the machine, of both families: empty, `0.0.0.0` and `::`. */
export function isEveryAddress(host: string): boolean {
  // IPv6 has several ways to write zeros.
  return /^[0:.]*$/.test(host);
}

const ENDPOINT = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^\s:[\]/]*)):(?<port>\d{1,5})$/;

/**
 * `host:port`, `[v6]:port` or `:port`, for a server. Port 0 lets the system choose.
 *
 * @param example what a wrong value should look like.
 */
export function endpoint(example: string): v.GenericSchema<unknown, Endpoint> {
  return v.pipe(
    v.string('must be host:port'),
    v.regex(ENDPOINT, `must be host:port, for example ${example}`),
    v.transform((text) => {
      const groups = ENDPOINT.exec(text)?.groups;
      return new Endpoint(groups?.['v6'] ?? groups?.['host'] ?? '', Number(groups?.['port']));
    }),
    v.check(({ port }) => port <= 65_535, 'has a port above 65535'),
  );
}
