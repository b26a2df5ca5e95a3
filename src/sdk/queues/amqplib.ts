/** Observes amqplib: messages carry the context of their sender, and their consumers continue it. */
import { context, propagation, SpanKind, trace, type Span } from '@opentelemetry/api';
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { endAfter, failMessage, startMessageSpan, type MessageSpan } from './message-span.ts';

const VERSIONS = ['>=0.5.5'];

/** Patches files inside the package, which it loads itself with `require`. */
export class AmqplibInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/amqplib', '0.1.0', {});
  }

  protected override init(): InstrumentationModuleDefinition {
    const files = ['channel_model', 'callback_model'].map((name) => this.channelFile(`amqplib/lib/${name}.js`));
    return new InstrumentationNodeModuleDefinition('amqplib', VERSIONS, undefined, undefined, files);
  }

  private channelFile(file: string): InstrumentationNodeModuleFile {
    const patch = (exports: ChannelFile): ChannelFile => {
      this['_wrap'](exports.Channel.prototype, 'publish', observedPublish);
      this['_wrap'](exports.Channel.prototype, 'consume', observedConsume);
      return exports;
    };
    const unpatch = (exports?: ChannelFile): void => {
      if (exports === undefined) return;
      this['_unwrap'](exports.Channel.prototype, 'publish');
      this['_unwrap'](exports.Channel.prototype, 'consume');
    };
    return new InstrumentationNodeModuleFile(file, VERSIONS, patch, unpatch);
  }
}

interface ChannelFile {
  readonly Channel: { readonly prototype: { publish: Publish; consume: Consume } };
}

interface PublishOptions {
  readonly headers?: Readonly<Record<string, unknown>>;
}

interface Message {
  readonly fields: { readonly exchange?: string; readonly routingKey?: string };
  readonly properties: { readonly headers?: Record<string, unknown> };
}

/** Exchange, routing key and content; a channel with confirmations has a callback last. */
type Publish = (
  this: unknown,
  ...args: [exchange: string, routingKey: string, content: unknown, options?: PublishOptions, ...rest: unknown[]]
) => unknown;
type OnMessage = (this: unknown, message: Message | null) => unknown;
type Consume = (this: unknown, queue: string, onMessage: OnMessage, ...rest: unknown[]) => unknown;

/** A channel with confirmations calls this method too. */
function observedPublish(publish: Publish): Publish {
  return function publishObserved(...args) {
    const [exchange, routingKey, content, options, ...rest] = args;
    const span = startSpan(exchange === '' ? routingKey : exchange, SpanKind.PRODUCER, {
      exchange,
      routingKey,
    });
    const headers = { ...options?.headers };
    propagation.inject(trace.setSpan(context.active(), span), headers);
    try {
      return publish.call(this, exchange, routingKey, content, { ...options, headers }, ...rest);
    } catch (error) {
      failMessage(span, error);
      throw error;
    } finally {
      span.end();
    }
  };
}

function observedConsume(consume: Consume): Consume {
  return function consumeObserved(queue, onMessage, ...rest) {
    if (typeof onMessage !== 'function') return consume.call(this, queue, onMessage, ...rest);
    const observed: OnMessage = function onObservedMessage(message) {
      // The server has ended the subscription.
      if (message === null) return onMessage.call(this, message);
      const parent = propagation.extract(context.active(), textsIn(message.properties.headers));
      const span = context.with(parent, () => startSpan(queue, SpanKind.CONSUMER, message.fields));
      return context.with(trace.setSpan(parent, span), () => endAfter(span, () => onMessage.call(this, message)));
    };
    return consume.call(this, queue, observed, ...rest);
  };
}

function startSpan(target: string, kind: MessageSpan['kind'], { exchange, routingKey }: Message['fields']): Span {
  return startMessageSpan({
    kind,
    system: 'rabbitmq',
    target,
    attributes: {
      ...(exchange !== undefined && { 'messaging.destination.name': exchange === '' ? routingKey : exchange }),
      ...(routingKey !== undefined && { 'messaging.rabbitmq.destination.routing_key': routingKey }),
    },
  });
}

/** Anybody who can write to the queue chooses these. */
function textsIn(headers: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  const texts = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts);
}
