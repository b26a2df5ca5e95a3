import { setTimeout as sleep } from 'node:timers/promises';
import { PrometheusSource } from '../../../src/console/prometheus-source.ts';
import type { DemoOptions } from '../../../examples/coffee/start-demo.ts';
import type { Fault } from '../../../examples/coffee/fault.ts';
import { startShops } from '../alerts/fault-environment.ts';
import { allPanelsHaveData } from '../dashboards/panel-data.ts';
import { MonitoredDemo } from '../dashboards/monitored-demo.ts';
import { recordingOf, type Recording } from './recording.ts';

export interface Scenario {
  readonly demo?: DemoOptions;
  /** The faults, one after another. */
  readonly faults: readonly Fault[];
  readonly faultS: number;
  /** The time without a fault before each fault and after the last one. */
  readonly peaceS: number;
}

/** Records a demo with seven shops during these faults. The recording starts when every panel has data. */
export async function recordDemo({ demo, faults, faultS, peaceS }: Scenario): Promise<Recording> {
  await using stack = new AsyncDisposableStack();
  const watched = stack.use(await MonitoredDemo.start({ ...(demo !== undefined && { demo }) }));
  await startShops(watched.demo.databaseUrl, stack);
  await allPanelsHaveData(new PrometheusSource(watched.prometheus.url));
  const fromS = Date.now() / 1000;
  for (const fault of faults) {
    await sleep(peaceS * 1000);
    await watched.demo.setFault(fault, true);
    await sleep(faultS * 1000);
    await watched.demo.setFault(fault, false);
  }
  await sleep(peaceS * 1000);
  return await recordingOf(watched.prometheus, { fromS, toS: Date.now() / 1000 });
}
