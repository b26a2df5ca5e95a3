/** Records exceptions on spans, with their causes. */
import { sep } from 'node:path';
import type { Attributes, Span, TimeInput } from '@opentelemetry/api';
import { postgresErrorOf } from './postgres-error.ts';

/** Errors may refer to each other in a circle, and a stack may be as long as the sender likes. */
const MAX_CAUSES = 10;
const MAX_STACK_CHARACTERS = 20_000;

const errors = new WeakMap<Attributes, object>();
/** The span where an error was recorded first. */
const origins = new WeakMap<object, Span>();

/** Adds an `exception` event. Anything can be thrown: what is not an error has only a message. */
export function recordException(span: Span, thrown: unknown, time?: TimeInput): void {
  span.addEvent('exception', exceptionAttributes(thrown), time);
  const { events } = span as { readonly events?: readonly { readonly attributes?: Attributes }[] };
  const recorded = events?.at(-1)?.attributes;
  if (typeof thrown !== 'object' || thrown === null || recorded === undefined) return;
  errors.set(recorded, thrown);
  if (!origins.has(thrown)) origins.set(thrown, span);
}

/** The span where {@link recordException} has recorded an error first. */
export function originOf(thrown: unknown): Span | undefined {
  return typeof thrown === 'object' && thrown !== null ? origins.get(thrown) : undefined;
}

/** The error of an event that {@link recordException} has added. */
export function errorOf(attributes: Attributes): object | undefined {
  return errors.get(attributes);
}

/** The message of anything thrown, without values of the database. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return textOf(thrown);
  return postgresErrorOf(thrown)?.message ?? thrown.message;
}

/** The attributes of the semantic conventions. The stack contains the causes. */
export function exceptionAttributes(thrown: unknown): Attributes {
  if (!(thrown instanceof Error)) return { 'exception.type': typeof thrown, 'exception.message': textOf(thrown) };
  const postgres = postgresErrorOf(thrown);
  const message = postgres?.message ?? thrown.message;
  const stack = stackOf(thrown).slice(0, MAX_STACK_CHARACTERS);
  return {
    'exception.type': typeOf(thrown),
    'exception.message': message,
    // A stack begins with the message.
    'exception.stacktrace': message === thrown.message ? stack : stack.replaceAll(thrown.message, () => message),
    ...postgres?.attributes,
  };
}

/** Many classes do not set the name. */
function typeOf({ name, constructor }: Error): string {
  return name === 'Error' && typeof constructor?.name === 'string' ? constructor.name || name : name;
}

/** The preload's own functions, between those of the service and of its libraries. */
const OWN_FRAME = `${import.meta.dirname}${sep}`;

function withoutOwnFrames(stack: string): string {
  if (!stack.includes(OWN_FRAME)) return stack;
  return stack
    .split('\n')
    .filter((line) => !(/^\s*at /.test(line) && line.includes(OWN_FRAME)))
    .join('\n');
}

/** Returns the stack in the form that Node prints: each cause is indented by one more level. */
function stackOf(error: Error): string {
  const stacks: string[] = [];
  let current: unknown = error;
  for (
    ;
    current !== undefined && stacks.length <= MAX_CAUSES;
    current = current instanceof Error ? current.cause : undefined
  ) {
    const text = current instanceof Error ? (current.stack ?? String(current)) : textOf(current);
    const indent = '  '.repeat(stacks.length);
    stacks.push(stacks.length === 0 ? text : `${indent}[cause]: ${text.replaceAll('\n', `\n${indent}`)}`);
  }
  return withoutOwnFrames(stacks.join('\n'));
}

function textOf(value: unknown): string {
  try {
    return typeof value === 'object' && value !== null ? JSON.stringify(value).slice(0, 1000) : String(value);
  } catch {
    return typeof value;
  }
}
