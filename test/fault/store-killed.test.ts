import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { JobId } from '../../src/scheduler/ids.ts'
import { isTerminal } from '../../src/store/records.ts'
import { dataFolder } from '../support/data-folder.ts'
import { seededDraws } from '../support/random.ts'
import { testStore } from '../support/stores.ts'

const program = fileURLToPath(new URL('../support/store-process.ts', import.meta.url))
const kills = 6

/** Runs it until it has said so many lines, kills it there, and answers everything it said. */
async function runUntilKilled(folder: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(line)
    if (said.length === lines) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'close')
  expect(signal).toBe('SIGKILL')
  return said
}

test('a process killed at any moment loses nothing that it has acknowledged and contradicts nothing that it has shown', async () => {
  const folder = await dataFolder()
  const draw = seededDraws()
  const said: string[] = []
  for (let kill = 0; kill < kills; kill++) said.push(...(await runUntilKilled(folder, draw(50, 2500))))
  const words = said.map((line) => line.split(' '))
  const accepted = words.flatMap(([what, job]) => (what === 'accepted' ? [Number(job) as JobId] : []))
  const ended = new Set(words.flatMap(([what, job]) => (what === 'ended' ? [Number(job)] : [])))
  expect(new Set(accepted).size).toBe(accepted.length)

  const { store } = await testStore({ folder })
  for (const id of accepted) {
    const job = await store.readJob(id)
    const finals = (await store.readEvents(id, 0, 1000)).filter(({ to }) => to !== null && isTerminal(to))
    expect(job, `acknowledged job ${id}`).not.toBeNull()
    expect(finals.length, `final events of job ${id} (${job?.state})`).toBe(job?.state === 'SUCCEEDED' ? 1 : 0)
    if (ended.has(id)) expect(job).toMatchObject({ state: 'SUCCEEDED' })
  }

  const shown = new Map<string, string>()
  for (const [what, sequence = '', ...event] of words) {
    if (what !== 'shown') continue
    expect(shown.get(sequence) ?? event.join(' '), `event ${sequence}`).toBe(event.join(' '))
    shown.set(sequence, event.join(' '))
  }
  expect(shown.size).toBeGreaterThan(0)
  await store.close()

  const database = new Database(join(folder, 'hearth.sqlite'), { readonly: true })
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(database.pragma('foreign_key_check')).toEqual([])
  const savedOfEnded = database
    .prepare('SELECT task_id FROM checkpoints c JOIN jobs j ON j.id = c.job_id WHERE finished_at IS NOT NULL')
    .all()
  expect(savedOfEnded).toEqual([])
  const withoutPicture = database
    .prepare(
      "SELECT data FROM job_events WHERE kind = 'preview' AND data ->> 'artifactId' NOT IN (SELECT id FROM artifacts)",
    )
    .all()
  expect(withoutPicture).toEqual([])
  for (const [sequence, event] of shown) {
    const stored = database
      .prepare("SELECT job_id || ' ' || kind FROM job_events WHERE sequence = ?")
      .pluck()
      .get(Number(sequence))
    // Progress may be shown a moment before its commit, and be lost with the process; another event may never take its number.
    expect(stored === undefined && event.endsWith(' text') ? event : stored).toBe(event)
  }
  database.close()
})
