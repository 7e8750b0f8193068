/** Many worlds full of faults, one after the other; of each that goes wrong, how to repeat it. */
import { replay } from '../replay.ts'
import { simulate } from '../simulation.ts'
import type { FaultsInvocation } from './options.ts'

export interface FaultWorlds {
  readonly events: number
  readonly jobs: number
  readonly failures: readonly { readonly seed: number; readonly problems: readonly string[] }[]
}

/** Every so many seeds the recording of the world is replayed too. */
const replayEvery = 10

export function runFaultWorlds(
  { from, seeds, routing, order }: FaultsInvocation,
  tell: (line: string) => void,
): FaultWorlds {
  const settings = { ...(routing ? { routing } : {}), ...(order ? { queueOrder: order } : {}) }
  const said = `${routing ? ` --routing ${routing}` : ''}${order ? ` --order ${order}` : ''}`
  const failures: { seed: number; problems: readonly string[] }[] = []
  let events = 0
  let jobs = 0
  for (let seed = from; seed < from + seeds; seed += 1) {
    const result = simulate(seed, {}, settings)
    events += result.events
    jobs += result.submitted
    const problems = [...result.problems]
    if (problems.length === 0 && seed % replayEvery === 0 && replay(result.recording).difference)
      problems.push('The recording does not replay to the same commands.')
    if (problems.length === 0) continue
    failures.push({ seed, problems })
    tell(
      `Seed ${seed}: ${problems.join(' ')}\n  Repeat with: npm run simulate -- --faults --from ${seed} --seeds 1${said}`,
    )
  }
  return { events, jobs, failures }
}
