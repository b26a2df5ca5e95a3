/** Observes kafkajs: messages carry the context of their sender, and their consumers continue it. */
import { context, propagation, SpanKind, SpanStatusCode, trace, type Link, type Span } from '@opentelemetry/api';
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
  type InstrumentationModuleDefinition,
} from '@opentelemetry/instrumentation';
import { errorType } from '../error-type.ts';
import { endAfter, startMessageSpan } from './message-span.ts';

const VERSIONS = ['>=2.0.0 <3'];

/** Patches files inside the package, which it loads itself with `require`. */
export class KafkajsInstrumentation extends InstrumentationBase {
  constructor() {
    super('siphon-otel/kafkajs', '0.1.0', {});
  }

  protected override init(): InstrumentationModuleDefinition {
    const producer = this.factoryFile<Producer>('producer/messageProducer', (found) => ({
      ...found,
      send: observedSend(found.send),
      sendBatch: observedSendBatch(found.sendBatch),
    }));
    const consumer = this.factoryFile<Consumer>('consumer/index', (found) => ({
      ...found,
      run: async (handlers, ...rest) => await found.run(observedHandlers(handlers), ...rest),
    }));
    return new InstrumentationNodeModuleDefinition('kafkajs', VERSIONS, undefined, undefined, [producer, consumer]);
  }

  /** The file exports a function that creates producers or consumers. */
  private factoryFile<Made>(name: string, observed: (made: Made) => Made): InstrumentationNodeModuleFile {
    const patch =
      (create: Factory<Made>): Factory<Made> =>
      (...args) =>
        observed(create(...args));
    return new InstrumentationNodeModuleFile(`kafkajs/src/${name}.js`, VERSIONS, patch, () => undefined);
  }
}

type Factory<Made> = (...args: unknown[]) => Made;

interface Message {
  readonly headers?: Readonly<Record<string, unknown>>;
}

interface TopicMessages {
  readonly topic: string;
  readonly messages: readonly Message[];
}

interface Batch {
  readonly topicMessages?: readonly TopicMessages[];
}

interface Producer {
  readonly send: (record: TopicMessages) => Promise<unknown>;
  readonly sendBatch: (batch: Batch) => Promise<unknown>;
}

interface ReceivedMessage {
  readonly headers?: Headers;
}

interface MessagePayload {
  readonly topic: string;
  readonly partition: number;
  readonly message: ReceivedMessage;
}

interface BatchPayload {
  readonly batch: {
    readonly topic: string;
    readonly partition: number;
    readonly messages: readonly ReceivedMessage[];
  };
}

interface Handlers {
  readonly eachMessage?: ((payload: MessagePayload) => unknown) | null;
  readonly eachBatch?: ((payload: BatchPayload) => unknown) | null;
}

interface Consumer {
  readonly run: (handlers?: Handlers, ...rest: unknown[]) => Promise<unknown>;
}

function observedSend(send: Producer['send']): Producer['send'] {
  return async (record) => {
    const { span, observed } = startSending(record);
    return await endWhenSent([span], async () => await send(observed));
  };
}

/** A span for each topic. */
function observedSendBatch(sendBatch: Producer['sendBatch']): Producer['sendBatch'] {
  return async (batch) => {
    const sending = batch.topicMessages?.map(startSending) ?? [];
    const topicMessages = sending.map(({ observed }) => observed);
    return await endWhenSent(
      sending.map(({ span }) => span),
      async () => await sendBatch(batch.topicMessages === undefined ? batch : { ...batch, topicMessages }),
    );
  };
}

/** The messages of the service stay as they are: it may send them again. */
function startSending(record: TopicMessages): { readonly span: Span; readonly observed: TopicMessages } {
  const { topic } = record;
  const messages = Array.isArray(record.messages) ? (record.messages as readonly Message[]) : undefined;
  const span = startMessageSpan({
    kind: SpanKind.PRODUCER,
    system: 'kafka',
    target: topic,
    attributes: {
      'messaging.destination.name': topic,
      ...(messages !== undefined && { 'messaging.batch.message_count': messages.length }),
    },
  });
  if (messages === undefined) return { span, observed: record };
  const injected: Record<string, string> = {};
  propagation.inject(trace.setSpan(context.active(), span), injected);
  const carrying = messages.map((message) => ({ ...message, headers: { ...message.headers, ...injected } }));
  return { span, observed: { ...record, messages: carrying } };
}

/** The caller gets the error, and records it where nothing handles it. */
async function endWhenSent(spans: readonly Span[], send: () => Promise<unknown>): Promise<unknown> {
  try {
    return await send();
  } catch (error) {
    for (const span of spans) {
      span.setAttribute('error.type', errorType(error)).setStatus({ code: SpanStatusCode.ERROR });
    }
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

/** The library catches what a handler throws, and gives it the messages again. */
function observedHandlers(handlers: Handlers | undefined): Handlers | undefined {
  const { eachMessage, eachBatch } = handlers ?? {};
  return {
    ...handlers,
    ...(typeof eachMessage === 'function' && {
      eachMessage: (payload: MessagePayload) => {
        const parent = propagation.extract(context.active(), textsIn(payload.message.headers));
        const span = context.with(parent, () => startProcessing(payload));
        return context.with(trace.setSpan(parent, span), () => endAfter(span, () => eachMessage(payload)));
      },
    }),
    ...(typeof eachBatch === 'function' && {
      eachBatch: (payload: BatchPayload) => {
        const span = startProcessing(payload.batch, payload.batch.messages);
        return context.with(trace.setSpan(context.active(), span), () => endAfter(span, () => eachBatch(payload)));
      },
    }),
  };
}

/** Messages that are processed together have many senders: the span has links to them, and none of them is its parent. */
function startProcessing(
  { topic, partition }: { readonly topic: string; readonly partition: number },
  messages?: readonly ReceivedMessage[],
): Span {
  return startMessageSpan({
    kind: SpanKind.CONSUMER,
    system: 'kafka',
    target: topic,
    attributes: {
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      ...(messages !== undefined && { 'messaging.batch.message_count': messages.length }),
    },
    links: linksTo(messages ?? []),
  });
}

const MAX_LINKS = 128;

/** Messages that were sent together have one sender. */
function linksTo(messages: readonly ReceivedMessage[]): Link[] {
  const senders = new Map<string, Link>();
  for (const { headers } of messages) {
    const sender = trace.getSpanContext(propagation.extract(context.active(), textsIn(headers)));
    if (sender !== undefined) senders.set(sender.spanId, { context: sender });
    if (senders.size === MAX_LINKS) break;
  }
  return [...senders.values()];
}

type Headers = Readonly<Record<string, unknown>>;

/** Anybody who can write to the topic chooses these. They arrive as bytes. */
function textsIn(headers: Headers = {}): Record<string, string> {
  const texts = Object.entries(headers).filter((entry): entry is [string, Buffer] => Buffer.isBuffer(entry[1]));
  return Object.fromEntries(texts.map(([name, bytes]) => [name, bytes.toString()]));
}
