import * as v from 'valibot';
import { expect, test } from 'vitest';
import { prometheusExporterConfig } from './config.ts';

test.each(['1a', 'a-b', '', '__name__', 'le', 'quantile'])(
  'the constant label %j is a problem at the start',
  (name) => {
    const parsed = v.safeParse(prometheusExporterConfig, { const_labels: { [name]: 'x' } });
    expect(parsed.issues?.map((issue) => v.getDotPath(issue))).toEqual([`const_labels.${name}`]);
  },
);
