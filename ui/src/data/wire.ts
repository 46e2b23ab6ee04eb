// Runs as MLflow's REST API writes them, read.

import type { DatasetInput, KeyValue, Metric, Run } from "./source.ts";

export interface WireRun {
  info: Run["info"];
  data?: { metrics?: Metric[]; params?: KeyValue[]; tags?: KeyValue[] };
  inputs?: { dataset_inputs?: DatasetInput[] };
  outputs?: { model_outputs?: { model_id: string; step?: number }[] };
}

export function readRun(wire: WireRun): Run {
  // Without a prototype, as a tag may be called `__proto__`.
  const tags: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const { key, value } of wire.data?.tags ?? []) tags[key] = value;
  return {
    info: { ...wire.info, start_time: Number(wire.info.start_time), end_time: wire.info.end_time ? Number(wire.info.end_time) : null },
    metrics: wire.data?.metrics ?? [],
    params: wire.data?.params ?? [],
    tags,
    datasets: (wire.inputs?.dataset_inputs ?? []).map((one) => ({ ...one, tags: one.tags ?? [] })),
    outputs: (wire.outputs?.model_outputs ?? []).map((one) => ({ model_id: one.model_id, step: Number(one.step ?? 0) })),
  };
}
