/** One memory, every request must become resident, in order: what the choice of who leaves saves, beside the best of three that know the future. */
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { simulate, workload } from './run-simulator.ts'

const settings = [
  { memoryGb: 24, atLeast: 0.905 },
  { memoryGb: 48, atLeast: 0.946 },
  { memoryGb: 96, atLeast: 0.992 },
]

export function eviction(run: RunSettings): Figure[] {
  return settings.flatMap(({ memoryGb, atLeast }) => {
    const shareOf = (policy: string) => {
      const args = ['--devices', '1', '--memory-gb', String(memoryGb), '--order', 'arrival', '--execution', 'none']
      const [result] = simulate([...workload(run, 'workload_genai_head.csv.gz'), ...args, '--policy', policy])
      return (result?.costSavedRatio ?? Number.NaN) / (result?.clairvoyantCostSavedRatio ?? Number.NaN)
    }
    const [hedge, lru] = [shareOf('hedge'), shareOf('lru')]
    run.say(`${memoryGb} GB: hedge ${hedge.toFixed(3)}, lru ${lru.toFixed(3)} of the clairvoyant`)
    const what = `load cost saved with ${memoryGb} GB, of what the clairvoyant saves`
    const head = { unit: 'ratio', better: 'higher' } as const
    const goal = run.traces === null ? {} : { goal: { atLeast } }
    return [
      figure({ id: `simulated.eviction.${memoryGb}.hedge`, what: `${what}: hedge`, ...head, ...goal }, [[hedge]]),
      figure({ id: `simulated.eviction.${memoryGb}.lru`, what: `${what}: lru`, ...head }, [[lru]]),
    ]
  })
}
