import { expect, test } from 'vitest'
import type { Hearth } from '../support/hearth.ts'
import { isFinal, type JobLog, watch } from '../support/job-log.ts'
import { type Draw, seededDraws } from '../support/random.ts'
import { startServer } from '../support/servers.ts'
import { embeddings, itemsPerStep, type JobInput, noop, submit, text } from '../support/submissions.ts'
import { until } from '../support/until.ts'
import { killWorker, listWorkers } from '../support/workers.ts'

const kills = 6

test('jobs of every kind end well while workers of every engine are killed at random', async () => {
  const draw = seededDraws()
  // The kills are nobody's fault here, so they may not add up to anybody's.
  const hearth = await startServer({ environment: { HEARTH_JOB_ATTEMPTS: '100', HEARTH_QUARANTINE_DEATHS: '100' } })
  const logs: JobLog[] = []
  const enough = new AbortController()
  const clients = Promise.all([1, 2, 3].map(() => submitUntil(enough.signal, hearth, draw, logs)))
  for (let kill = 0; kill < kills; kill++) {
    const ended = numberOfEnded(logs)
    await until('a job has ended since', () => numberOfEnded(logs) > ended)
    const workers = (await listWorkers(hearth)).filter(({ pid, state }) => pid !== null && state !== 'DEAD')
    killWorker(workers[draw(0, workers.length)]!)
  }
  enough.abort()
  await clients

  for (const log of logs) {
    const { __typename, output } = await log.final()
    expect(__typename).toBe('JobSucceeded')
    expect(log.events.filter(isFinal)).toHaveLength(1)
    if (output?.text !== undefined) expect(log.text).toBe(output.text)
  }
  const { queue } = await hearth.ask<{ queue: { lanes: { queued: number; running: number }[] } }>(
    '{ queue { lanes { queued running } } }',
  )
  expect(queue.lanes).toEqual([
    { queued: 0, running: 0 },
    { queued: 0, running: 0 },
  ])
})

const numberOfEnded = (logs: readonly JobLog[]) => logs.filter(({ events }) => events.some(isFinal)).length

async function submitUntil(enough: AbortSignal, hearth: Hearth, draw: Draw, logs: JobLog[]): Promise<void> {
  while (!enough.aborted) {
    const log = watch(hearth, await submit(hearth, anyJob(draw)))
    logs.push(log)
    if (draw(0, 3) === 0) await log.final()
    else await log.event('JobStarted')
  }
}

function anyJob(draw: Draw): JobInput {
  switch (draw(0, 4)) {
    case 0:
      return text({ prompt: `Write about the number ${draw(0, 100)}.`, maxTokens: 12 })
    case 1:
      return embeddings([`Sentence ${draw(0, 100)}.`])
    case 2:
      return noop({ steps: 10, stepMs: 3, items: 2 * itemsPerStep })
    default:
      return noop({ steps: draw(1, 20), stepMs: draw(0, 5) })
  }
}
