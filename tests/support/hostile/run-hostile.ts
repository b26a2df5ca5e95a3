import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gaugesRequest } from '../otlp/gauges-request.ts';
import { MemoryCgroup } from '../processes/memory-cgroup.ts';
import { Sidecar } from '../processes/sidecar.ts';
import { attack, type AttackName, post } from './senders.ts';

const MIB = 1024 * 1024;
/** Node counts only its heap; the rest of the limit is for buffers and the program. */
const HEAP_MIB = 200;

export interface HostileOrder {
  readonly seconds: number;
  readonly connections: number;
  readonly memoryMib: number;
  readonly names: readonly AttackName[];
}

export interface HostileResult {
  /** True if a control group ends the process at the limit; otherwise the peak must be compared. */
  readonly isEnforced: boolean;
  readonly isAlive: boolean;
  readonly peakMib: number;
  /** How long the attack lasted. It ends with the process. */
  readonly attackedMs: number;
  /** How long after the attack a new series was on the page; undefined if it was not within a minute. */
  readonly acceptedAfterMs: number | undefined;
  /** The end of the log, for a process that has ended. */
  readonly log: string;
}

/** Attacks a sidecar with the shipped configuration and a memory limit, then sends one new series. */
export async function runHostile({ seconds, connections, memoryMib, names }: HostileOrder): Promise<HostileResult> {
  using cgroup = MemoryCgroup.create(memoryMib * MIB);
  await using sidecar = await Sidecar.start({
    sets: ['service.pipelines.metrics.receivers=[otlp]'],
    before: `export ${imageEnvironment()}; ${cgroup?.enter ?? `export NODE_OPTIONS=--max-old-space-size=${HEAP_MIB}`}`,
  });
  const targets = {
    http: sidecar.otlpHttp,
    grpc: sidecar.otlpGrpc,
    scrape: sidecar.url({ id: 'prometheus' }),
    health: sidecar.url({ id: 'health_check' }),
  };
  let peakMib = 0;
  const sampling = setInterval(() => (peakMib = Math.max(peakMib, peakOf(sidecar.process.pid))), 250);
  const ended = new AbortController();
  sidecar.process.once('exit', () => ended.abort());
  const startMs = performance.now();
  await attack(targets, { connections, names }, AbortSignal.any([AbortSignal.timeout(seconds * 1000), ended.signal]));
  const attackedMs = performance.now() - startMs;
  const acceptedAfterMs = ended.signal.aborted ? undefined : await untilAccepted(sidecar, targets.http);
  clearInterval(sampling);
  const isAlive = sidecar.process.exitCode === null && sidecar.process.signalCode === null;
  return {
    isEnforced: cgroup !== undefined,
    isAlive,
    peakMib,
    attackedMs,
    acceptedAfterMs,
    log: sidecar.logText().slice(-3000),
  };
}

/** How the shipped image configures the C library. */
function imageEnvironment(): string {
  const dockerfile = readFileSync(new URL('../../../deploy/docker/Dockerfile', import.meta.url), 'utf8');
  const [, variables] = /^ENV (MALLOC_.+)$/m.exec(dockerfile)!;
  return variables!;
}

async function untilAccepted(sidecar: Sidecar, http: string): Promise<number | undefined> {
  const startMs = performance.now();
  while (performance.now() - startMs < 60_000) {
    const status = await post(http, gaugesRequest({ job: 'honest', names: ['fresh'] })).catch(() => 0);
    if (status === 200 && (await sidecar.scrape().catch(() => '')).includes('fresh{'))
      return performance.now() - startMs;
    await sleep(500);
  }
  return undefined;
}

/** The largest resident set so far; 0 for a process that has ended. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
