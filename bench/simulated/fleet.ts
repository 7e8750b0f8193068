/** Eight devices of 24 GB under overload: loads and waiting, against order of arrival (each job bound to the device that would end it first) and against LRU with it. */
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { simulate, workload } from './run-simulator.ts'

const devices = ['--devices', '8', '--memory-gb', '24', '--compress', '4']

export function fleet(run: RunSettings): Figure[] {
  const measure = (args: readonly string[]) => {
    const [result] = simulate([...workload(run, 'workload_genai_head.csv.gz'), ...devices, ...args])
    if (!result?.latencySeconds) throw new Error('The simulator tells no latencies.')
    return {
      loads: result.loadsPer100Requests,
      meanS: result.latencySeconds.interactive.mean,
      jain: result.jainFairness,
    }
  }
  const ours = measure([])
  const arrival = measure(['--order', 'arrival'])
  const lru = measure(['--order', 'arrival', '--policy', 'lru'])
  run.say(
    `loads per 100: ${ours.loads.toFixed(1)}, by arrival ${arrival.loads.toFixed(1)}, with LRU ${lru.loads.toFixed(1)}`,
  )
  const what = '8 devices of 24 GB, gaps divided by 4'
  return [
    figure(
      {
        id: 'simulated.fleet.loads',
        what: `${what}: loads per 100 requests`,
        unit: 'loads',
        better: 'lower',
        goal: { atMost: 15 },
      },
      [[ours.loads]],
    ),
    figure(
      { id: 'simulated.fleet.loads.arrival', what: 'the same in order of arrival', unit: 'loads', better: 'lower' },
      [[arrival.loads]],
    ),
    figure(
      {
        id: 'simulated.fleet.loads.lru',
        what: 'the same in order of arrival, with LRU',
        unit: 'loads',
        better: 'lower',
      },
      [[lru.loads]],
    ),
    figure(
      {
        id: 'simulated.fleet.mean.ratio',
        what: `${what}: mean latency, to that in order of arrival`,
        unit: 'ratio',
        better: 'lower',
        goal: { atMost: 1 },
      },
      [[ours.meanS / arrival.meanS]],
    ),
    figure(
      {
        id: 'simulated.fleet.jain',
        what: `${what}: evenness of work (Jain)`,
        unit: 'index',
        better: 'higher',
        goal: { atLeast: 0.85 },
      },
      [[ours.jain]],
    ),
  ]
}
