/** `npm run simulate` as people call it: one process each, words for what is wrong, and status 0 only where all is well. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { BoundedResult } from '../../src/simulator/command/serve-workload.ts'
import { simulate } from '../../src/simulator/simulation.ts'
import type { TraceResult } from '../../src/simulator/world/trace-result.ts'
import { traceFile } from '../unit/simulator/trace-files.ts'

const main = fileURLToPath(new URL('../../src/simulator/main.ts', import.meta.url))

test('one run is one JSON object with the names that evaluations read', async () => {
  const rows = Array.from({ length: 40 }, (_, index) => `${index},${'abc'[index % 3]},4,15,2,u,interactive`)
  const path = traceFile(['timestamp_s,model_id,size_gb,load_s,exec_s,user,priority', ...rows], { isCompressed: true })
  const args = '--devices 1 --memory-gb 8 --order arrival --policy lru --json'.split(' ')
  const pure: BoundedResult = JSON.parse((await run('--trace', path, '--execution', 'none', ...args)).output)
  expect(pure).toMatchObject({ policy: 'lru', routing: 'ect', devices: 1, memoryGb: 8, order: 'arrival', seed: 1 })
  // Three models in turn, and room for two: LRU misses every time.
  expect(pure).toMatchObject({ execution: 'none', compress: 1, rows: 40, warmupRows: 4, requests: 36, loads: 36 })
  expect(pure).toMatchObject({ hitRatio: 0, byteHitRatio: 0, costSavedRatio: 0, latencySeconds: null })
  expect(pure.clairvoyantCostSavedRatio).toBeCloseTo(0.5, 1)
  const timed: TraceResult = JSON.parse((await run('--trace', path, ...args)).output)
  const latency = timed.latencySeconds?.interactive
  expect(latency).toMatchObject({ count: 36 })
  expect(Number(latency?.p99)).toBeGreaterThan(Number(latency?.p50))
  expect(timed).toHaveProperty('loadsPer100Requests')
  expect(timed).toHaveProperty('jainFairness')
})

test('a table of policies, with the mean of several seeds and the bounds', async () => {
  const { status, output } = await run('--policy', 'all', '--execution', 'none', '--requests', '60', '--seeds', '2')
  expect(status).toBe(0)
  expect(output).toContain('No --trace was given')
  expect(output).toContain('±')
  for (const name of ['lru', 'gdsf', 'hedge', 'clairvoyant', 'PFOO-L']) expect(output).toContain(name)
})

test('what is wrong is said, and the status is 2', async () => {
  const broken = traceFile(['timestamp_s,model_id,size_gb', '0,a,big'])
  expect(await run('--trace', broken)).toMatchObject({ status: 2, errors: expect.stringContaining('line 2') })
})

test('a recording replays, and one that was changed does not', async () => {
  const { recording } = simulate(3)
  const path = traceFile([])
  writeFileSync(path, recording.join('\n'))
  expect(await run('--replay', path)).toMatchObject({ status: 0, output: expect.stringContaining('the same commands') })
  const place = recording.findIndex((line) => line.includes('"spawnWorker"'))
  const changed = recording.map((line, index) =>
    index === place ? line.replace('"spawnWorker"', '"stopWorker"') : line,
  )
  const other = join(path, '..', 'changed.jsonl')
  writeFileSync(other, changed.join('\n'))
  expect(await run('--replay', other)).toMatchObject({
    status: 1,
    errors: expect.stringContaining('comes out otherwise'),
  })
})

test('worlds of faults are counted', async () => {
  const { output } = await run('--faults', '--seeds', '3', '--from', '1', '--routing', 'ect', '--order', 'residency')
  expect(output).toMatch(/^3 worlds from seed 1: \d+ jobs, \d+ events, \d+ worlds went wrong\.$/m)
})

interface Outcome {
  readonly status: number
  readonly output: string
  readonly errors: string
}

function run(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], (_, output, errors) =>
      resolve({ status: child.exitCode ?? -1, output, errors }),
    )
  })
}
