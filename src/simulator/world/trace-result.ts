/** What came of a workload, in the terms that `npm run simulate` prints. */
import type { PriorityClass } from '../../scheduler/events.ts'
import type { Millis } from '../../scheduler/ids.ts'
import type { ClassLatency, Measures } from '../report/measures.ts'
import type { Workload } from '../traces/workload.ts'
import type { TraceOptions } from './trace-options.ts'

export interface TraceResult {
  readonly policy: TraceOptions['policy']
  readonly routing: TraceOptions['routing']
  readonly devices: number
  readonly memoryGb: number
  readonly order: TraceOptions['order']
  readonly execution: TraceOptions['execution']
  readonly compress: number
  readonly seed: number
  /** Requests of the workload, and the first of them, which are not counted. */
  readonly rows: number
  readonly warmupRows: number
  readonly requests: number
  readonly failed: number
  readonly hitRatio: number
  readonly byteHitRatio: number
  /** Share of the requests' load times that no load took. */
  readonly costSavedRatio: number
  readonly loads: number
  readonly loadsPer100Requests: number
  /** From arrival to end. Null without execution. */
  readonly latencySeconds: Readonly<Record<PriorityClass | 'all', ClassLatency | null>> | null
  readonly jainFairness: number
  /** Share of the devices' time that was computed in, and of their memory that models filled. */
  readonly utilisation: number
  readonly memoryUse: number
  /** Share of the devices' time in which they computed nothing; loads go on beside work. */
  readonly idleShare: number
  /** Batch work beside the workload: jobs that ended, their loads, and the share of the devices' time that they had. */
  readonly backlog: { readonly ended: number; readonly loads: number; readonly share: number } | null
  readonly pauses: number
  /** Seconds in the world, and for the machine that simulated it. */
  readonly simulatedSeconds: number
  readonly tookSeconds: number
  readonly schedulerSteps: number
}

export interface Served {
  readonly workload: Workload
  readonly options: TraceOptions
  readonly measures: Measures
  readonly warmupRows: number
  readonly now: Millis
  readonly steps: number
  readonly tookMs: Millis
}

export function resultOf({ workload, options, measures, warmupRows, now, steps, tookMs }: Served): TraceResult {
  const { policy, routing, devices, memoryGb, order, execution, compress, seed, batchBacklog } = options
  const { busy, backlog, memory } = measures.shares(now)
  return {
    policy,
    routing,
    devices,
    memoryGb,
    order,
    execution,
    compress,
    seed,
    rows: workload.requests.length,
    warmupRows,
    requests: measures.requests,
    failed: measures.failed,
    ...measures.saved(),
    loads: measures.loads,
    loadsPer100Requests: (100 * measures.loads) / Math.max(1, measures.requests),
    latencySeconds: execution === 'none' ? null : latenciesOf(measures),
    jainFairness: measures.jainFairness(),
    utilisation: busy,
    memoryUse: memory,
    idleShare: 1 - busy,
    backlog: batchBacklog ? { ended: measures.backlogEnded, loads: measures.backlogLoads, share: backlog } : null,
    pauses: measures.pauses,
    simulatedSeconds: (now - 1000 - (workload.requests[0]?.at ?? 0) / compress) / 1000,
    tookSeconds: tookMs / 1000,
    schedulerSteps: steps,
  }
}

function latenciesOf(measures: Measures): NonNullable<TraceResult['latencySeconds']> {
  return {
    interactive: measures.latencySeconds('interactive'),
    batch: measures.latencySeconds('batch'),
    all: measures.latencyOfAll(),
  }
}
