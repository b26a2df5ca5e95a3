import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { KeepaliveConfig } from '../config.ts';

/**
 * Ends connections that are idle, old or dead, or that ping too often, as the stock receiver's `keepalive` defines. A
 * setting that is 0 or absent disables its check. https://github.com/grpc/proposal/blob/master/A9-server-side-conn-mgt.md
 *
 * @param socket of the session. Destroying only the session leaves it open until its client has read everything.
 */
export function keepWatch(
  session: ServerHttp2Session,
  socket: Socket,
  { server_parameters, enforcement_policy }: KeepaliveConfig,
): void {
  const { max_connection_idle, max_connection_age, max_connection_age_grace, time, timeout } = server_parameters;
  const connection = { session, socket };
  endUnlessGreeted(connection);
  if (max_connection_idle > 0) endWhenIdle(session, max_connection_idle);
  if (max_connection_age > 0) endWhenOld(connection, { ageMs: max_connection_age, graceMs: max_connection_age_grace });
  if (time > 0) endWhenDead(connection, { timeMs: time, timeoutMs: timeout });
  if (enforcement_policy !== undefined) endWhenPestered(session, enforcement_policy);
}

interface Connection {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
}

const GREETING_MS = 60_000;

/** Clients must complete the HTTP/2 handshake in this time. */
function endUnlessGreeted({ session, socket }: Connection): void {
  const timer = after(session, GREETING_MS, () => socket.destroy());
  session.once('remoteSettings', () => clearTimeout(timer));
}

function endWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  const calls = openCalls(session);
  const timer = after(session, idleMs, () => {
    if (calls.count === 0) session.close();
  });
  calls.whenNone = () => timer.refresh();
}

/** Connections that began together must not all end together. */
const JITTER = 0.1;

function endWhenOld(
  { session, socket }: Connection,
  { ageMs, graceMs }: { readonly ageMs: number; readonly graceMs: number },
): void {
  after(session, ageMs * (1 + JITTER * (2 * Math.random() - 1)), () => {
    session.close();
    if (graceMs > 0) after(session, graceMs, () => socket.destroy());
  });
}

/**
 * Pings a client that has sent nothing for between one and two times `timeMs`. Node's own `session.setTimeout` keeps each
 * session in memory until its time has passed, even if it was closed, and runs once.
 */
function endWhenDead(
  { session, socket }: Connection,
  { timeMs, timeoutMs }: { readonly timeMs: number; readonly timeoutMs: number },
): void {
  let readBytes = 0;
  const timer = after(session, timeMs, () => {
    if (session.destroyed) return void socket.destroy();
    const isActive = socket.bytesRead !== readBytes;
    readBytes = socket.bytesRead;
    if (isActive) return void timer.refresh();
    const dead = after(session, timeoutMs, () => socket.destroy());
    session.ping(() => {
      clearTimeout(dead);
      timer.refresh();
    });
  });
}

/** How many pings may come too early. A call resets the count. */
const MAX_STRIKES = 2;
/** Minimum time between pings without a call, if `permit_without_stream` is off. */
const IDLE_MIN_TIME_MS = 2 * 3_600_000;
const ENHANCE_YOUR_CALM = 11;

type EnforcementPolicy = NonNullable<KeepaliveConfig['enforcement_policy']>;

/** https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md */
function endWhenPestered(session: ServerHttp2Session, { min_time, permit_without_stream }: EnforcementPolicy): void {
  const calls = openCalls(session);
  let strikes = 0;
  let lastPingAt = -Infinity;
  session.on('stream', () => {
    strikes = 0;
    lastPingAt = -Infinity;
  });
  session.on('ping', () => {
    const minTime = calls.count === 0 && !permit_without_stream ? IDLE_MIN_TIME_MS : min_time;
    const now = performance.now();
    if (now - lastPingAt < minTime) strikes++;
    lastPingAt = now;
    if (strikes <= MAX_STRIKES) return;
    session.goaway(ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'));
    session.destroy();
  });
}

interface OpenCalls {
  count: number;
  whenNone?: () => void;
}

function openCalls(session: ServerHttp2Session): OpenCalls {
  const calls: OpenCalls = { count: 0 };
  session.on('stream', (stream) => {
    calls.count++;
    stream.once('close', () => {
      calls.count--;
      if (calls.count === 0) calls.whenNone?.();
    });
  });
  return calls;
}

/** A timer that ends with the connection and does not keep the process alive. */
function after(session: ServerHttp2Session, delayMs: number, act: () => void): NodeJS.Timeout {
  const timer = setTimeout(act, delayMs).unref();
  session.once('close', () => clearTimeout(timer));
  return timer;
}
