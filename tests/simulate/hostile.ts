/** `npm run simulate:hostile`: attacks a sidecar in a small container. It must stay alive and accept a new series afterwards. */
import { parseArgs } from 'node:util';
import { attackNames } from '../support/hostile/senders.ts';
import { runHostile } from '../support/hostile/run-hostile.ts';

const HELP = `npm run simulate:hostile -- [options]

  --minutes N        duration of the attack (default: 10)
  --connections N    hostile connections at a time (default: 1000)
  --only NAME        only this attack, can be repeated: ${attackNames.join(', ')}
  --memory N         limit of the container in MiB (default: 256)
  --help             print this text

Exits with 0 if the sidecar is alive and shows a new series within a minute after the attack.
`;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    connections: { type: 'string', default: '1000' },
    only: { type: 'string', multiple: true },
    memory: { type: 'string', default: '256' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(HELP);
else {
  const names = attackNames.filter((name) => options.only?.includes(name) ?? true);
  const memoryMib = Number(options.memory);
  const order = { seconds: Number(options.minutes) * 60, connections: Number(options.connections), memoryMib, names };
  const { isAlive, isEnforced, peakMib, attackedMs, acceptedAfterMs, log } = await runHostile(order);
  const limit = isEnforced ? 'enforced by a control group' : 'not enforced: no control group';
  process.stdout.write(`limit: ${memoryMib} MiB, ${limit}\npeak: ${peakMib.toFixed(0)} MiB\n`);
  process.stdout.write(`alive after ${(attackedMs / 1000).toFixed(0)} s: ${isAlive}\n`);
  process.stdout.write(`a new series is on the page after: ${acceptedAfterMs?.toFixed(0) ?? 'more than 60000'} ms\n`);
  const isPassed = isAlive && acceptedAfterMs !== undefined && (isEnforced || peakMib <= memoryMib);
  if (!isPassed) process.stdout.write(`${log}\n`);
  process.exitCode = isPassed ? 0 : 1;
}
