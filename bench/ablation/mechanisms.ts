/** All mechanisms that are measured with and without, in the order of a job's way; the last is all of them together. */
import { adaptiveChunks } from './adaptive-chunks.ts'
import { dynamicBatching } from './batching.ts'
import { binaryFrames } from './binary-frames.ts'
import { componentGraph } from './component-graph.ts'
import { componentStreaming } from './component-streaming.ts'
import { earlyValidation } from './early-validation.ts'
import { everything } from './everything.ts'
import { handOver } from './hand-over.ts'
import { joinedReports } from './joined-reports.ts'
import type { Mechanism } from './mechanism.ts'
import { partialResults } from './partial-results.ts'
import { persistentWorkers } from './persistent-workers.ts'
import { pipelining } from './pipelining.ts'
import { pooledSlabs } from './pooled-slabs.ts'
import { safetyBeside } from './safety-beside.ts'
import { slabs } from './slabs.ts'
import { streaming } from './streaming.ts'
import { validationCache } from './validation-cache.ts'
import { warmSpare } from './warm-spare.ts'

export const mechanisms: readonly Mechanism[] = [
  validationCache,
  earlyValidation,
  persistentWorkers,
  warmSpare,
  componentStreaming,
  componentGraph,
  pipelining,
  joinedReports,
  dynamicBatching,
  partialResults,
  handOver,
  safetyBeside,
  binaryFrames,
  slabs,
  pooledSlabs,
  adaptiveChunks,
  streaming,
  everything,
]

export function mechanismNamed(name: string): Mechanism {
  const found = mechanisms.find((mechanism) => mechanism.name === name)
  if (found) return found
  throw new Error(
    `There is no mechanism ${JSON.stringify(name)}; there are: ${mechanisms.map((mechanism) => mechanism.name).join(', ')}.`,
  )
}
