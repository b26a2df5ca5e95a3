import type { Host } from '../component.ts';
import { aborted } from '../aborted.ts';
import type { Graph } from './graph.ts';
import type { GraphNode } from './graph-node.ts';
import { shutdownStages, startStages, type Stage } from './stages.ts';

/** The components of the new graph could not start. */
export class ReplacementError extends Error {
  override readonly name = 'ReplacementError';
  /** The components of the old graph that still run, by key. */
  readonly surviving: ReadonlyMap<string, GraphNode>;

  constructor(cause: unknown, surviving: ReadonlyMap<string, GraphNode>) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.surviving = surviving;
  }
}

/**
 * Replaces a running graph by one that was built from its components:
 *
 * 1. Old components whose address or file a new one may need stop, with those that feed them: receivers first. Components
 *    that are kept and feed the others wait meanwhile.
 * 2. New components start.
 * 3. Components that are kept are connected to what follows them now.
 * 4. The other old components stop, after they have sent what they hold.
 *
 * @throws ReplacementError if a new component fails to start. Then none of the new ones runs.
 */
export async function replaceGraph(from: Graph, to: Graph, host: Host, deadline: AbortSignal): Promise<void> {
  const retired = new Set([...from.nodes.values()].filter((node) => to.nodes.get(node.key) !== node));
  const isNew = (node: GraphNode): boolean => from.nodes.get(node.key) !== node;
  const first = exclusiveWithFeeders(retired, from.feeds);
  // The last batches of a receiver still pass components that are about to wait.
  await shutdownStages(
    only(from.stages, (node) => first.has(node) && isReceiver(node)),
    deadline,
  );
  await holdFeeders(from, { retired, first }, deadline);
  await shutdownStages(
    only(from.stages, (node) => first.has(node) && !isReceiver(node)),
    deadline,
  );
  release(first);
  try {
    await startStages(only(to.stages, isNew), host);
  } catch (error) {
    await shutdownStages(only(to.stages, isNew), deadline);
    release([...to.nodes.values()].filter(isNew));
    const surviving = [...from.nodes].filter(([, node]) => !first.has(node));
    throw new ReplacementError(error, new Map(surviving));
  }
  await Promise.race([to.connect(), aborted(deadline)]);
  const others = only(from.stages, (node) => retired.has(node) && !first.has(node));
  await shutdownStages(others, deadline);
  release(others.flat());
}

function isReceiver({ kind }: GraphNode): boolean {
  return kind === 'receiver';
}

/** The exclusive components among those that end, with all that end and feed them. */
function exclusiveWithFeeders(retired: ReadonlySet<GraphNode>, feeds: Graph['feeds']): ReadonlySet<GraphNode> {
  const found = new Set([...retired].filter(({ isExclusive }) => isExclusive));
  for (let before = -1; before < found.size;) {
    before = found.size;
    for (const [node, fed] of feeds) if (retired.has(node) && fed.some((next) => found.has(next))) found.add(node);
  }
  return found;
}

async function holdFeeders(
  { feeds }: Graph,
  { retired, first }: { readonly retired: ReadonlySet<GraphNode>; readonly first: ReadonlySet<GraphNode> },
  deadline: AbortSignal,
): Promise<void> {
  const feeders = [...feeds].filter(([node, fed]) => !retired.has(node) && fed.some((next) => first.has(next)));
  const quiet = Promise.all(feeders.map(async ([{ outlet }]) => await outlet.hold()));
  await Promise.race([quiet, aborted(deadline)]);
}

function only(stages: readonly Stage<GraphNode>[], chosen: (node: GraphNode) => boolean): Stage<GraphNode>[] {
  return stages.map((stage) => stage.filter(chosen));
}

/** The metrics of components that have ended must not show their last state. */
function release(nodes: Iterable<GraphNode>): void {
  for (const { settings } of nodes) {
    settings.metrics.stopObserving();
    settings.ledger.release();
  }
}
