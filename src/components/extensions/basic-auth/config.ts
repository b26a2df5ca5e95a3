import * as v from 'valibot';
import { secret } from '../../../engine/schema/fields.ts';
import type { Secret } from '../../../engine/schema/secret.ts';
import { Htpasswd } from './htpasswd.ts';

const inlineUsers = v.pipe(
  secret(),
  v.rawCheck<Secret>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    try {
      void new Htpasswd(dataset.value.reveal());
    } catch (error) {
      addIssue({ message: (error as Error).message });
    }
  }),
);

export const basicAuthConfig = v.strictObject({
  htpasswd: v.pipe(
    v.strictObject({
      inline: v.optional(inlineUsers),
      file: v.optional(v.pipe(v.string(), v.nonEmpty('must name a file'))),
    }),
    v.check(({ inline, file }) => inline !== undefined || file !== undefined, 'needs inline, file or both'),
  ),
});

export type BasicAuthConfig = v.InferOutput<typeof basicAuthConfig>;
