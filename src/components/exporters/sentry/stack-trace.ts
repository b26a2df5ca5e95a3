/** Reads the stack traces of JavaScript, Python, Java, Go and .NET. */
import type { JsonValue } from '../../../engine/otlp/json-values.ts';

export type StackFrame = { readonly [key: string]: JsonValue };

export interface ParsedException {
  /** Undefined for the outermost exception of a trace that does not name it. */
  readonly type: string | undefined;
  readonly message: string;
  /** Outermost call first, as Sentry requires. */
  readonly frames: readonly StackFrame[];
}

/** Longer than the frames that Sentry keeps. */
const MAX_CHARACTERS = 128 * 1024;
const MAX_LINE_CHARACTERS = 1024;
const MAX_FRAMES = 250;
const MAX_EXCEPTIONS = 10;
const MAX_MESSAGE_LINES = 20;

/** The exception of a stack trace and its causes, each the cause of the one before it. At least one. */
export function parseStackTrace(text: string): readonly ParsedException[] {
  const lines = text.slice(0, MAX_CHARACTERS).split(/\r?\n/);
  if (lines.some((line) => line.startsWith('Traceback (most recent call last):'))) return parsePython(lines);
  if (lines.some((line) => GO_PLACE.test(line))) return [{ type: undefined, message: '', frames: parseGo(lines) }];
  return parseCalls(lines);
}

interface Draft {
  readonly header: string[];
  readonly frames: StackFrame[];
}

const CAUSE = /^\s*(?:\[cause\]|Caused by): ?(?<header>.*)$/;
const INNER = /^\s*---> (?<header>.*)$/;
const END_OF_INNER = /^\s*--- End of inner exception/;
/** Begins a part with exceptions that are not causes. */
const OTHERS = /^\s*(?:Suppressed: |\[errors\]: )/;

/** V8, Java and .NET write `at` before each call, the innermost first. */
function parseCalls(lines: readonly string[]): readonly ParsedException[] {
  const drafts: [Draft, ...Draft[]] = [{ header: [], frames: [] }];
  const outer: Draft[] = [];
  let current: Draft = drafts[0];
  for (const line of lines) {
    const header = (CAUSE.exec(line) ?? INNER.exec(line))?.groups?.['header'];
    if (header !== undefined) {
      outer.push(current);
      current = { header: [header], frames: [] };
      if (drafts.length < MAX_EXCEPTIONS) drafts.push(current);
    } else if (END_OF_INNER.test(line)) current = outer.pop() ?? current;
    else if (OTHERS.test(line)) current = { header: [], frames: [] };
    else addLine(current, line);
  }
  return drafts.map(({ header, frames }) => ({ ...readHeader(header), frames: frames.toReversed() }));
}

function addLine({ header, frames }: Draft, line: string): void {
  if (line.length > MAX_LINE_CHARACTERS) return;
  const call = /^\s*at (?<call>.+)$/.exec(line)?.groups?.['call'];
  const frame = call === undefined ? parsePlace(line) : parseCall(call.replace(/ \{$/, '').trim());
  if (frame !== undefined) {
    if (frames.length < MAX_FRAMES) frames.push(frame);
  } else if (call === undefined && frames.length === 0 && header.length < MAX_MESSAGE_LINES) header.push(line);
}

const HEADER = /^(?:Uncaught )?(?<type>[\w.$]+)(?: \[\w+\])?(?:: (?<message>[\s\S]*))?$/;

function readHeader(lines: readonly string[]): Pick<ParsedException, 'type' | 'message'> {
  const text = lines.join('\n').replace(/\s*\{?\s*$/, '');
  const groups = HEADER.exec(text)?.groups;
  return groups === undefined
    ? { type: undefined, message: text }
    : { type: groups['type'], message: groups['message'] ?? '' };
}

const SCRIPT = /^(?<file>.+?):(?<line>\d+):(?<column>\d+)$/;
/** Firefox and Safari: `f@https://shop.test/app.js:1:2` */
const SCRIPT_PLACE = /^(?<function>[^\s@]*)@(?<file>\S+?):(?<line>\d+):(?<column>\d+)$/;
const DOTNET = /^(?<function>[^()]+\(.*\)) in (?<file>.+):line (?<line>\d+)$/;
const JAVA = /^(?<function>[\w.$/@<>-]+)\((?<file>[^():]*)(?::(?<line>\d+))?\)$/;

function parsePlace(line: string): StackFrame | undefined {
  const place = SCRIPT_PLACE.exec(line)?.groups;
  return place && scriptFrame(place['function'] ?? '', place);
}

function parseCall(call: string): StackFrame | undefined {
  const dotnet = DOTNET.exec(call)?.groups;
  if (dotnet !== undefined) return classFrame(dotnet['function'] as string, dotnet);
  const java = JAVA.exec(call)?.groups;
  if (java !== undefined) return classFrame(java['function'] as string, java);
  const script = call.replace(/^async /, '');
  const open = script.endsWith(')') ? script.lastIndexOf(' (') : -1;
  const place = SCRIPT.exec(open === -1 ? script : script.slice(open + 2, -1))?.groups;
  if (place !== undefined) return scriptFrame(open <= 0 ? '' : script.slice(0, open), place);
  return /^[\w.`<>]+\(.*\)$/.test(call) ? classFrame(call, {}) : undefined;
}

type Place = Readonly<Record<string, string | undefined>>;

function scriptFrame(name: string, { file = '', line, column }: Place): StackFrame {
  return {
    function: name === '' ? '<anonymous>' : name,
    filename: file.replace(/^file:\/\//, ''),
    lineno: Number(line),
    colno: Number(column),
    in_app: !/^(?:node:|internal\/)|node_modules\//.test(file),
  };
}

const PLATFORM_CLASSES = /^(?:java|javax|jdk|sun|com\.sun|kotlin|kotlinx|scala|System|Microsoft)\./;

/** `com.shop.Cart.total` or `Shop.Cart.Total(Int32 n)`: the class, then the method. */
function classFrame(call: string, { file, line }: Place): StackFrame {
  const name = call.replace(/^[\w.@-]*\/{1,2}/, '').replace(/\(.*$/s, '');
  const end = name.lastIndexOf('.');
  const isFile = file !== undefined && file !== '' && !/^(?:Native Method|Unknown Source)$/.test(file);
  return {
    function: name.slice(end + 1),
    ...(end > 0 && { module: name.slice(0, end) }),
    ...(isFile && { filename: file }),
    ...(line !== undefined && { lineno: Number(line) }),
    in_app: !PLATFORM_CLASSES.test(name),
  };
}

const PYTHON_PLACE = /^ {2}File "(?<file>[^"]+)", line (?<line>\d+)(?:, in (?<function>.+))?$/;
const PYTHON_NEXT = /^(?:The above exception was the direct cause|During handling of the above exception)/;

/** Causes come first, and the outermost call of each. */
function parsePython(lines: readonly string[]): readonly ParsedException[] {
  const drafts: [Draft, ...Draft[]] = [{ header: [], frames: [] }];
  for (const [index, line] of lines.entries()) {
    const [draft] = drafts;
    const place = line.length > MAX_LINE_CHARACTERS ? undefined : PYTHON_PLACE.exec(line)?.groups;
    if (PYTHON_NEXT.test(line)) drafts.unshift({ header: [], frames: [] });
    else if (place !== undefined) draft.frames.push(pythonFrame(place, lines[index + 1] ?? ''));
    else if (/^\S/.test(line) && !line.startsWith('Traceback') && draft.header.length < MAX_MESSAGE_LINES)
      draft.header.push(line);
  }
  return drafts
    .slice(0, MAX_EXCEPTIONS)
    .map(({ header, frames }) => ({ ...readHeader(header), frames: frames.slice(-MAX_FRAMES) }));
}

function pythonFrame({ file = '', line, function: name = '<module>' }: Place, next: string): StackFrame {
  return {
    function: name,
    filename: file,
    lineno: Number(line),
    ...(next.startsWith('    ') && { context_line: next.slice(4, 4 + MAX_LINE_CHARACTERS) }),
    in_app: !/(?:site|dist)-packages\/|\/lib\/python\d|^<frozen /.test(file),
  };
}

const GO_PLACE = /^\t(?<file>\S.*\.(?:go|s)):(?<line>\d+)(?: \+0x[0-9a-f]+)?$/;

/** A line with the call, then one with its place. */
function parseGo(lines: readonly string[]): readonly StackFrame[] {
  const frames: StackFrame[] = [];
  for (const [index, line] of lines.entries()) {
    const place = line.length > MAX_LINE_CHARACTERS ? undefined : GO_PLACE.exec(line)?.groups;
    if (place === undefined || frames.length === MAX_FRAMES) continue;
    const { file = '', line: number } = place;
    const call = (lines[index - 1] ?? '')
      .replace(/^created by /, '')
      .replace(/(?<=.)\([^()]*\)$/, '')
      .slice(0, MAX_LINE_CHARACTERS);
    const end = call.indexOf('.', call.lastIndexOf('/') + 1);
    frames.push({
      function: call.slice(end + 1),
      ...(end > 0 && { module: call.slice(0, end) }),
      filename: file,
      lineno: Number(number),
      in_app: !/\/(?:go|golang)(?:\/[\d.]+)?\/src\/|\/pkg\/mod\/|\/vendor\/|^runtime\//.test(file),
    });
  }
  return frames.toReversed();
}
