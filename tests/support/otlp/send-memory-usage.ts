/** Sends a sidecar over OTLP/HTTP the metric that a service of this name uses a megabyte of memory. */
export async function sendMemoryUsage(service: string, otlpPort: number): Promise<void> {
  const attributes = [text('service.name', service), text('service.instance.id', '1')];
  const point = { timeUnixNano: `${Date.now()}000000`, asInt: '1048576', attributes: [text('component', 'rss')] };
  const metric = { name: 'memory_usage', unit: 'By', gauge: { dataPoints: [point] } };
  const resourceMetrics = [{ resource: { attributes }, scopeMetrics: [{ metrics: [metric] }] }];
  const response = await fetch(`http://127.0.0.1:${otlpPort}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceMetrics }),
  });
  if (!response.ok) throw new Error(`the sidecar refused a metric: ${response.status} ${await response.text()}`);
}

function text(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}
