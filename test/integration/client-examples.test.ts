/** The client examples of docs/clients.md, run as a reader would run them, with the server killed and started again in the middle. */
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { dataFolder } from '../support/data-folder.ts'
import { picture } from '../support/pictures.ts'
import { startServer } from '../support/servers.ts'
import { until } from '../support/until.ts'

const examples = fileURLToPath(new URL('../../examples/clients', import.meta.url))
const prompt = 'Tell a long story about a dog that walks to the sea.'
const linesMax = 60

/** A port that the second server can take again. */
async function startOn(port: string, dataDir: string) {
  return startServer({ dataDir, environment: { HEARTH_PORT: port } })
}

const clients: readonly (readonly [name: string, command: string, file: string])[] = [
  ['TypeScript', process.execPath, 'typescript/write-text.ts'],
  ['Python', 'python3', 'python/write_text.py'],
]

test.for(clients)('%s: a text is followed over a kill and a restart of the server', async ([, command, file]) => {
  const dataDir = await dataFolder()
  const first = await startOn('0', dataDir)
  const client = run(command, [`${examples}/${file}`, prompt, first.url])
  await until('some text has come', () => client.told().split('\n').length > 6)
  await first.kill()
  const before = client.told()
  expect(client.hasEnded()).toBe(false)
  const second = await startOn(new URL(first.url).port, dataDir)
  expect(await client.ended, client.told()).toBe(0)
  const { jobs } = await second.ask<{ jobs: { nodes: { output: { text: string } }[] } }>(
    '{ jobs { nodes { output { ... on TextOutput { text } } } } }',
  )
  expect(jobs.nodes).toHaveLength(1)
  expect(client.said()).toBe(`${jobs.nodes[0]?.output.text}\n`)
  const afterwards = client.told().slice(before.length)
  expect(before).toMatch(/^JobQueued\n/)
  expect(before).toContain('JobStarted')
  // The cursor: what was told before the cut does not come again.
  expect(afterwards).not.toContain('JobQueued')
  expect(afterwards).toMatch(/^JobRequeued\n[^]*JobSucceeded\n$/)
})

test.for(clients)('%s: a refusal ends it with the message', async ([, command, file]) => {
  const hearth = await startServer({ environment: { HEARTH_MAX_PROMPT_BYTES: '20' } })
  const client = run(command, [`${examples}/${file}`, prompt, hearth.url])
  expect(await client.ended).not.toBe(0)
  expect(client.told()).toContain('20')
})

test('TypeScript: a picture is uploaded and classified; a file that is none says so', async () => {
  const hearth = await startServer()
  const folder = await dataFolder()
  await writeFile(`${folder}/picture.png`, picture('png'))
  await writeFile(`${folder}/notes.png`, 'no picture')
  const classify = (file: string) =>
    run(process.execPath, [`${examples}/typescript/classify-picture.ts`, `${folder}/${file}`, hearth.url])
  const classified = classify('picture.png')
  expect(await classified.ended, classified.told()).toBe(0)
  expect(classified.said()).toMatch(/^[01]\.\d{4} \w+\n[01]\.\d{4} \w+\n$/)
  const refused = classify('notes.png')
  expect(await refused.ended).not.toBe(0)
  expect(refused.told()).toMatch(/image\/png/)
})

test('they are short', async () => {
  for (const file of [...clients.map(([, , file]) => file), 'typescript/classify-picture.ts']) {
    const lines = (await readFile(`${examples}/${file}`, 'utf8')).split('\n').filter((line) => line.trim() !== '')
    expect(lines.length, file).toBeLessThan(linesMax)
  }
})

function run(command: string, args: string[]) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  let told = ''
  let end: number | null = null
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()))
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve((end = code ?? -1))))
  return { said: () => said, told: () => told, hasEnded: () => end !== null, ended }
}
