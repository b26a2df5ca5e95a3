import type { MessageObject } from '../../../engine/otlp/message-to-object.ts';

/** The content for `normal`: the names of spans and metrics, and the bodies of log records. */
export function itemSummaries(request: MessageObject): readonly unknown[] {
  return list(request, 'resource_spans', 'resource_metrics', 'resource_logs')
    .flatMap((resource) => list(resource, 'scope_spans', 'scope_metrics', 'scope_logs'))
    .flatMap((scope) => list(scope, 'spans', 'metrics', 'log_records'))
    .map((item) => item['name'] ?? item['body'] ?? '');
}

function list(object: MessageObject, ...names: readonly string[]): readonly MessageObject[] {
  return names.flatMap((name) => (object[name] as readonly MessageObject[] | undefined) ?? []);
}
