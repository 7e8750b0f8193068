/** The options of `npm run simulate`: defaults, choices, and words for what is wrong. */
import { expect, test } from 'vitest'
import { help } from '../../../src/simulator/command/help.ts'
import { parseInvocation, type TraceInvocation } from '../../../src/simulator/command/options.ts'

const parsed = (...args: readonly string[]): TraceInvocation => {
  const invocation = parseInvocation(args)
  if (invocation.mode !== 'trace') throw new Error(`It means ${invocation.mode}.`)
  return invocation
}

test('nothing said means a generated workload and the defaults of the server', () => {
  const { trace, policies, routings, seeds, world } = parsed()
  expect({ trace, policies, routings, seeds }).toEqual({
    trace: null,
    policies: ['hedge'],
    routings: ['ect'],
    seeds: 1,
  })
  expect(world).toMatchObject({ devices: 8, memoryGb: 24, order: 'residency', execution: 'recorded', compress: 1 })
})

test('all = every policy there is', () => {
  expect(parsed('--policy', 'all').policies).toEqual(['lru', 'lfu', 'gdsf', 'multi-rate', 'decayed-value', 'hedge'])
  expect(parsed('--routing', 'all').routings).toHaveLength(9)
})

test('everything can be said', () => {
  const args =
    '--trace x.csv --devices 1 --memory-gb 48.5 --order arrival --execution none --compress 4 --seed 7 --json --warmup 0'
  const { trace, isJson, world } = parsed(...args.split(' '))
  expect({ trace, isJson }).toEqual({ trace: 'x.csv', isJson: true })
  const said = { devices: 1, memoryGb: 48.5, order: 'arrival', execution: 'none', compress: 4, seed: 7, warmupShare: 0 }
  expect(world).toMatchObject(said)
})

test.each([
  [['--polcy', 'lru'], '--polcy'],
  [['--policy', 'fifo'], '--policy is "fifo"; expected is one of lru, lfu'],
  [['--devices', '0'], '--devices is "0"; a whole number from 1 on'],
  [['--devices', '2.5'], '--devices is "2.5"'],
  [['--memory-gb', 'much'], '--memory-gb is "much"; a number is expected.'],
  [['--compress', '0'], '--compress is "0"; a number above 0'],
  [['--warmup', '1'], '--warmup is "1"'],
  [['--trace'], '--trace'],
  [['file.csv'], 'file.csv'],
  [['--nodes', 'nodes.csv'], '--nodes needs the pods'],
  [['--from', '3'], '--from is only for --faults'],
  [['--batch-backlog', '--execution', 'none'], '--batch-backlog needs --execution recorded'],
])('%j is refused in words', (args, words) => {
  expect(() => parseInvocation(args)).toThrow(words)
})

test('other modes', () => {
  const cluster = { mode: 'cluster', nodes: 'nodes.csv', pods: 'pods.csv', seed: 1 }
  expect(parseInvocation(['--nodes', 'nodes.csv', '--trace', 'pods.csv'])).toEqual(cluster)
  expect(parseInvocation(['--help'])).toEqual({ mode: 'help' })
  expect(parseInvocation(['--replay', 'life.jsonl'])).toEqual({ mode: 'replay', file: 'life.jsonl' })
  expect(parseInvocation(['--faults', '--seeds', '50', '--from', '9'])).toEqual({
    mode: 'faults',
    from: 9,
    seeds: 50,
    routing: null,
    order: null,
  })
})

test('the help names every choice', () => {
  const { policies, routings } = parsed('--policy', 'all', '--routing', 'all')
  for (const name of [...policies, ...routings]) expect(help).toContain(name)
})
