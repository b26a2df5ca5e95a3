import type { Signal } from '../../../engine/component.ts';
import { transientSentryDropReasons, type SentryDropReason } from '../../../metrics/reasons.ts';
import type { Category } from './envelope.ts';

/** Why items of a category are dropped, by signal. */
export type ExpectedDrops = Readonly<
  Record<Exclude<Signal, 'metrics'>, readonly (readonly [Exclude<Category, 'internal'>, readonly SentryDropReason[]])[]>
>;

const errors = ['error', [...transientSentryDropReasons, 'duplicate']] as const;

/** Services with a project lose these items in normal use. */
export const dropsOfProject: ExpectedDrops = {
  traces: [
    ['transaction', transientSentryDropReasons],
    ['span', [...transientSentryDropReasons, 'duplicate', 'invalid_ids', 'invalid_time', 'idle_connection']],
    errors,
  ],
  logs: [errors, ['log_item', ['no_exception']]],
};

/** Services without a project lose these, while others have one. */
export function dropsWithoutProject(absence: 'disabled' | 'no_project'): ExpectedDrops {
  return { traces: [['span', [absence]]], logs: [['error', [absence]]] };
}

/** All services lose these where none has a project: nothing is read. */
export const dropsWhenOff: ExpectedDrops = { traces: [['span', ['disabled']]], logs: [['log_item', ['disabled']]] };
