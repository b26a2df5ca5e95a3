import * as v from 'valibot';
import { secret } from '../../../engine/schema/fields.ts';

/** An empty token would accept every request that sends only the scheme. */
const token = v.pipe(
  secret(),
  v.check((given) => given.reveal().trim() !== '', 'must not be empty'),
);

export const bearerTokenAuthConfig = v.pipe(
  v.strictObject({
    token: v.optional(token),
    tokens: v.optional(v.pipe(v.array(token), v.minLength(1, 'must contain at least one token'))),
    filename: v.optional(v.pipe(v.string(), v.nonEmpty('must name a file'))),
    scheme: v.optional(v.string(), 'Bearer'),
    header: v.optional(
      v.pipe(v.string(), v.regex(/^[\w!#$%&'*+.^`|~-]+$/, 'must be the name of a header')),
      'Authorization',
    ),
  }),
  v.check(
    ({ token: single, tokens, filename }) =>
      filename === undefined
        ? (single === undefined) !== (tokens === undefined)
        : single === undefined || tokens === undefined,
    'needs one of token, tokens and filename',
  ),
);

export type BearerTokenAuthConfig = v.InferOutput<typeof bearerTokenAuthConfig>;
