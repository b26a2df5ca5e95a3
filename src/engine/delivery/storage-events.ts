import { sidecarMetrics } from '../../metrics/self.ts';
import type { ComponentSettings, Signal } from '../component.ts';
import { Incident } from '../incident.ts';
import type { DeliveryEvents } from './delivery.ts';

/** The log lines and counters of a queue on disk. */
export function storageEvents(
  { logger, metrics, ledger }: ComponentSettings,
  signal: Signal,
): Pick<DeliveryEvents<never>, 'storing' | 'recovered' | 'corrupt'> {
  const corruptEntries = metrics.counter(sidecarMetrics.siphon_queue_corrupt_entries);
  return {
    storing: new Incident(logger, {
      failing: 'The sending queue on disk cannot be used',
      recovered: 'The sending queue on disk can be used again',
    }),
    recovered: (items) => {
      ledger.account(signal).accept(items);
      if (items > 0) logger.info({ signal, items }, 'The sending queue contains items from before the start');
    },
    corrupt: (items, setAsideAs) => {
      corruptEntries.add(1);
      ledger.account(signal).drop(items, 'corrupt');
      logger.error({ signal, items, setAsideAs }, 'An entry of the sending queue is corrupt and was set aside');
    },
  };
}
