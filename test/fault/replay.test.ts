import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { replay } from '../../src/simulator/replay.ts'
import { dataFolder } from '../support/data-folder.ts'
import type { Hearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { startServer } from '../support/servers.ts'
import { embeddings, noop, submit, submitAll, text } from '../support/submissions.ts'
import { killWorker, workerOf } from '../support/workers.ts'

async function linesOf(recording: string): Promise<string[]> {
  return (await readFile(recording, 'utf8')).split('\n')
}
/** The kinds of commands and events that a recording tells of. */
const tellsOf = (lines: readonly string[], type: string) => lines.some((line) => line.includes(`"type":"${type}"`))

/** A little of everything that can happen to jobs, models and workers. */
async function eventfulDay(hearth: Hearth): Promise<void> {
  const long = await submitAll(
    hearth,
    // The first is long enough to be found running, and its worker killed.
    Array.from({ length: 12 }, (_, value) => noop({ value, steps: value === 0 ? 400 : 12, stepMs: 10 })),
  )
  const others = await submitAll(hearth, [
    embeddings(['To be recorded.']),
    text({ prompt: 'Say yes.', maxTokens: 4 }),
    noop({ failAtStep: 1 }),
    noop({ exitAtStep: 1 }, { priorityClass: 'BATCH' }),
    noop({ steps: 100_000, stepMs: 5 }, { deadline: new Date(Date.now() + 800).toISOString() }),
  ])
  const cancelled = await submit(hearth, noop({ steps: 100_000, stepMs: 5 }))
  await watch(hearth, long[0]!).event('JobStarted')
  killWorker(await workerOf(hearth, long[0]!))
  await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: cancelled })
  for (const id of [...long, ...others, cancelled]) await watch(hearth, id).final()
  await hearth.ask('mutation { unloadModel(input: { model: "all-minilm-l6-v2" }) { __typename } }')
  await watch(hearth, await submit(hearth, embeddings(['Loaded again.']))).final()
}

test('a recorded day is lived again to the byte, and so is the day after it', async () => {
  const dataDir = await dataFolder()
  const recordings = ['first.jsonl', 'second.jsonl'].map((name) => join(dataDir, name))
  for (const recording of recordings) {
    const hearth = await startServer({ dataDir, environment: { HEARTH_RECORD: recording } })
    await eventfulDay(hearth)
    expect(await hearth.stop()).toBe(0)
    const lines = await linesOf(recording)
    for (const type of [
      'jobSucceeded',
      'jobFailed',
      'jobCancelled',
      'jobRequeued',
      'load',
      'unload',
      'workerExited',
      'drainRequested',
    ]) {
      expect([type, tellsOf(lines, type)]).toEqual([type, true])
    }
    const { steps, difference } = replay(lines)
    expect(difference).toBeNull()
    expect(steps).toBeGreaterThan(100)
  }
})

test('a recording that was cut off by a crash is lived again up to there, and after the crash from there', async () => {
  const dataDir = await dataFolder()
  const recording = join(dataDir, 'crash.jsonl')
  const first = await startServer({ dataDir, environment: { HEARTH_RECORD: recording } })
  const ids = await submitAll(
    first,
    Array.from({ length: 50 }, (_, value) => noop({ value, steps: 12, stepMs: 10 })),
  )
  await watch(first, ids[0]!).event('StepCompleted')
  await first.kill()
  const before = replay(await linesOf(recording))
  expect(before.difference).toBeNull()
  expect(before.steps).toBeGreaterThan(3)

  const second = await startServer({ dataDir, environment: { HEARTH_RECORD: recording } })
  for (const id of ids) await watch(second, id).final()
  await second.stop()
  const lines = await linesOf(recording)
  expect(tellsOf(lines, 'jobsRecovered')).toBe(true)
  expect(replay(lines).difference).toBeNull()
})

test('a recording that was tampered with is found out', async () => {
  const dataDir = await dataFolder()
  const recording = join(dataDir, 'tampered.jsonl')
  const hearth = await startServer({ dataDir, environment: { HEARTH_RECORD: recording } })
  await watch(hearth, await submit(hearth, noop())).final()
  await hearth.stop()
  const lines = await linesOf(recording)
  const at = lines.findIndex((line) => line.includes('"type":"jobSucceeded"'))
  lines[at] = lines[at]!.replace('"type":"jobSucceeded"', '"type":"jobCancelled"')
  expect(replay(lines).difference).toMatchObject({ line: at + 1 })
})
