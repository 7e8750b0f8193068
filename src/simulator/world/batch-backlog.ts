/** Batch work that never ends, beside a workload: whatever devices have left, somebody could use. */
import type { Millis } from '../../scheduler/ids.ts'
import { gigabyte, loadMsOfSize, type WorkloadModel, type WorkloadRequest } from '../traces/workload.ts'

export const backlogModels: readonly WorkloadModel[] = [2.5, 6.8, 6.8].map((sizeGb, place) => ({
  name: `backlog-${place}`,
  sizeBytes: Math.round(sizeGb * gigabyte),
  loadMs: loadMsOfSize(sizeGb),
}))

/** Jobs that wait or run, for each device: enough that none is ever without. */
export const backlogPerDevice = 6
const execMs = 20_000

export function backlogRequest(model: number, at: Millis): WorkloadRequest {
  return { at, model, execMs, user: null, class: 'batch' }
}
