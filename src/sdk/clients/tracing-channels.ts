/** Observes libraries that publish their calls on tracing channels of Node. Nothing is patched, so bundles work too. */
import { tracingChannel } from 'node:diagnostics_channel';
import { diag } from '@opentelemetry/api';
import { InstrumentationBase } from '@opentelemetry/instrumentation';
import type { EndCall } from './database-call.ts';

/** Begins what a message of the channel announces; undefined if it is not observed. */
export type StartCall = (message: object) => EndCall | undefined;

/** Costs nothing until a library publishes. */
export class ChannelInstrumentation extends InstrumentationBase {
  readonly #channels: ReadonlyMap<string, Subscribers>;
  #isEnabled = false;

  constructor(name: string, channels: Readonly<Record<string, StartCall>>) {
    // The SDK enables it; the constructor of the base class cannot, because the fields are not set yet.
    super(`siphon-otel/${name}`, '0.1.0', { enabled: false });
    this.#channels = new Map(Object.entries(channels).map(([channel, start]) => [channel, subscribersOf(start)]));
  }

  protected override init(): void {
    return;
  }

  override enable(): void {
    if (this.#isEnabled) return;
    this.#isEnabled = true;
    for (const [name, subscribers] of this.#channels) tracingChannel(name).subscribe(subscribers);
  }

  override disable(): void {
    if (!this.#isEnabled) return;
    this.#isEnabled = false;
    for (const [name, subscribers] of this.#channels) tracingChannel(name).unsubscribe(subscribers);
  }
}

type Subscribers = Readonly<Record<'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error', (message: object) => void>>;

function subscribersOf(start: StartCall): Subscribers {
  const calls = new WeakMap<object, EndCall>();
  const finish = (message: object): void => {
    calls.get(message)?.('error' in message ? message.error : undefined);
    calls.delete(message);
  };
  return {
    start: (message) => {
      // Node ends the process when a subscriber throws.
      try {
        const end = start(message);
        if (end !== undefined) calls.set(message, end);
      } catch (error) {
        diag.warn('siphon: a call is not observed', error);
      }
    },
    // A call that throws has no asynchronous part.
    end: (message) => {
      if ('error' in message) finish(message);
    },
    // The call has its result; the callback of the application comes next.
    asyncStart: finish,
    asyncEnd: ignore,
    error: ignore,
  };
}

function ignore(): void {
  return;
}
