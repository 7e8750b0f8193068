/** The fuzzing finds what it is there to find. */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { dataFolder } from '../support/data-folder.ts'
import { makeInput } from './mutate.ts'
import { Random } from './random.ts'
import { runTarget, type Surroundings } from './run-target.ts'
import { targets } from './targets.ts'

const inputs = 2000
const timeoutMs = 60_000

async function surroundings(): Promise<Surroundings> {
  const targetsUrl = new URL('./planted.ts', import.meta.url).href
  return { targetsUrl, casesFolder: await dataFolder(), inputMsMax: 1500 }
}

test.for(['sound', 'refuses'])('a target that %s has no problem', { timeout: timeoutMs }, async (name) => {
  expect(await runTarget(name, inputs, 1, await surroundings())).toMatchObject({ problem: null, done: inputs })
})

test.for([
  ['stumbles', /TypeError/],
  ['stumbles-later', /TypeError/],
  ['is-wrong', /nothing is that long/],
  ['hangs', /No end after 1500 ms/],
  ['keeps', /Memory has grown by \d{5} KiB/],
] as const)('a target that %s is found', { timeout: timeoutMs }, async ([name, problem]) => {
  expect((await runTarget(name, inputs, 1, await surroundings())).problem).toMatch(problem)
})

test('what was found is kept, and tried first from then on', { timeout: timeoutMs }, async () => {
  const around = await surroundings()
  const { file } = await runTarget('stumbles', inputs, 1, around)
  expect(await readdir(`${around.casesFolder}/stumbles`)).toHaveLength(1)
  expect((await readFile(file!)).includes('!')).toBe(true)
  expect(await runTarget('stumbles', inputs, 2, around)).toMatchObject({ done: 1, file })
})

test('a seed gives the same inputs again, and another one others', () => {
  for (const target of targets) {
    const made = (seed: number) => {
      const random = new Random(seed)
      return Array.from({ length: 50 }, () => makeInput(target, random).toString('latin1'))
    }
    expect(made(7)).toEqual(made(7))
    expect(made(7)).not.toEqual(made(8))
  }
})
