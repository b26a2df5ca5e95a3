import type { JsonValue } from './json-values.ts';

export type StackFrame = { readonly [key: string]: JsonValue };

/** The number of frames that Sentry keeps. */
const MAX_FRAMES = 250;
const MAX_LINE_CHARACTERS = 1024;
const LOCATION = /^(?<file>.+?):(?<line>\d+):(?<column>\d+)$/;

/** The frames of a V8 stack trace, outermost call first as Sentry requires. Empty for a trace in another format. */
export function parseStackFrames(stacktrace: string): StackFrame[] {
  const frames: StackFrame[] = [];
  for (const line of stacktrace.split('\n')) {
    const frame = line.length > MAX_LINE_CHARACTERS ? undefined : parseFrame(line.trim());
    if (frame !== undefined) frames.push(frame);
    if (frames.length === MAX_FRAMES) break;
  }
  return frames.toReversed();
}

/** `at [async ]name (file:line:column)` or `at [async ]file:line:column` */
function parseFrame(line: string): StackFrame | undefined {
  if (!line.startsWith('at ')) return undefined;
  const call = line.slice('at '.length).replace(/^async /, '');
  const open = call.endsWith(')') ? call.lastIndexOf(' (') : -1;
  const groups = LOCATION.exec(open === -1 ? call : call.slice(open + 2, -1))?.groups;
  if (groups === undefined) return undefined;
  const filename = groups['file'] as string;
  return {
    function: open <= 0 ? '<anonymous>' : call.slice(0, open),
    filename,
    lineno: Number(groups['line']),
    colno: Number(groups['column']),
    in_app: isOwn(filename),
  };
}

function isOwn(filename: string): boolean {
  return !filename.startsWith('node:') && !filename.includes('node_modules/');
}
