/** Interactive requests with an endless backlog of batch work beside them, and without: the slowest of a hundred, and what batch work gets of the idle time. */
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { simulate, workload } from './run-simulator.ts'

const fleets = [
  { devices: 4, memoryGb: 24 },
  { devices: 8, memoryGb: 24 },
  { devices: 8, memoryGb: 48 },
]
/** With a backlog every second is full of steps. */
const rows = 6000

export function sharing(run: RunSettings): Figure[] {
  return fleets.flatMap(({ devices, memoryGb }) => {
    const args = ['--devices', String(devices), '--memory-gb', String(memoryGb), '--batch-backlog']
    const [alone, beside] = simulate([...workload(run, 'genai_requests_head.csv.gz', rows), ...args])
    if (!alone?.latencySeconds || !beside?.latencySeconds || !beside.backlog)
      throw new Error('The simulator tells no run with a backlog.')
    const ratio = beside.latencySeconds.interactive.p99 / alone.latencySeconds.interactive.p99
    const kept = beside.backlog.share / alone.idleShare
    run.say(`${devices} x ${memoryGb} GB: p99 x ${ratio.toFixed(3)}, batch ${kept.toFixed(3)}`)
    const id = `simulated.sharing.${devices}x${memoryGb}`
    const what = `${devices} devices of ${memoryGb} GB, saturating batch work`
    return [
      figure(
        {
          id: `${id}.p99`,
          what: `${what}: interactive p99, to that without`,
          unit: 'ratio',
          better: 'lower',
          goal: { atMost: 1.05 },
        },
        [[ratio]],
      ),
      figure(
        {
          id: `${id}.batch`,
          what: `${what}: batch work, of the idle time`,
          unit: 'ratio',
          better: 'higher',
          goal: { atLeast: 0.97 },
        },
        [[kept]],
      ),
    ]
  })
}
