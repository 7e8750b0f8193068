import { afterAll, beforeAll, expect, test } from 'vitest'
import { dataFolder } from '../support/data-folder.ts'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { type JobOutput, watch } from '../support/job-log.ts'
import { startServer } from '../support/servers.ts'
import { submit, submitAll, type TextRequest, text } from '../support/submissions.ts'

const rainbow = 'Name three colours of the rainbow.'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

async function generate(request: TextRequest): Promise<JobOutput> {
  return watch(hearth, await submit(hearth, text(request))).output()
}

test('a text arrives in pieces that make up exactly the output', async () => {
  const log = watch(hearth, await submit(hearth, text({ prompt: 'Write a story about a lighthouse.', maxTokens: 40 })))
  const { text: output, completionTokens } = await log.output()
  expect(output).not.toBe('')
  expect(log.text).toBe(output)
  expect(log.types.filter((type) => type === 'TextDelta').length).toBeGreaterThan(5)
  expect(completionTokens).toBeGreaterThan(20)
})

test('the log begins with the queue, tells of the start before any text, and rises all the way', async () => {
  const log = watch(hearth, await submit(hearth, text({ prompt: rainbow, maxTokens: 8 })))
  await log.final()
  expect(log.types[0]).toBe('JobQueued')
  expect(log.types.indexOf('JobStarted')).toBeGreaterThan(0)
  expect(log.types.indexOf('JobStarted')).toBeLessThan(log.types.indexOf('TextDelta'))
  const sequences = log.events.map(({ sequence }) => sequence)
  expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b))
})

test('at temperature 0 the same request gives the same text', async () => {
  const first = await generate({ prompt: rainbow, maxTokens: 40 })
  expect(await generate({ prompt: rainbow, maxTokens: 40 })).toEqual(first)
})

test('a seed decides what a warm temperature gives', async () => {
  const warm = { prompt: 'Invent the name of a ship.', maxTokens: 24, temperature: 1.5, topP: 1 }
  const first = await generate({ ...warm, seed: 7 })
  expect((await generate({ ...warm, seed: 7 })).text).toBe(first.text)
  expect((await generate({ ...warm, seed: 8 })).text).not.toBe(first.text)
})

test('a stop string ends the text before it, and no piece of it is ever shown', async () => {
  const whole = (await generate({ prompt: rainbow, maxTokens: 40 })).text ?? ''
  const stop = whole.slice(20, 27)
  const log = watch(hearth, await submit(hearth, text({ prompt: rainbow, maxTokens: 40, stop: ['never seen', stop] })))
  expect(await log.output()).toMatchObject({ text: whole.slice(0, whole.indexOf(stop)), finishReason: 'STOP' })
  expect(log.text).toBe(whole.slice(0, whole.indexOf(stop)))
})

test('a text that reaches maxTokens says LENGTH, and one that ends by itself STOP', async () => {
  expect(await generate({ prompt: 'Tell a long story.', maxTokens: 7 })).toMatchObject({
    finishReason: 'LENGTH',
    completionTokens: 7,
  })
  expect(await generate({ prompt: 'Say only: yes', maxTokens: 200 })).toMatchObject({ finishReason: 'STOP' })
})

test('tokens are counted as the model reads them', async () => {
  const short = await generate({ prompt: 'Hello.', maxTokens: 1 })
  const long = await generate({ prompt: `Hello.${' word'.repeat(100)}`, maxTokens: 1 })
  expect((long.promptTokens ?? 0) - (short.promptTokens ?? 0)).toBe(100)
  // The chat template of the model opens with a system message, so even a greeting is more than its own tokens.
  expect(short.promptTokens).toBeGreaterThan(5)
})

test('a prompt is one message of the user', async () => {
  const asPrompt = await generate({ prompt: rainbow, maxTokens: 20 })
  expect(await generate({ messages: [{ role: 'USER', content: rainbow }], maxTokens: 20 })).toEqual(asPrompt)
})

test('earlier messages are part of what the model answers to', async () => {
  const answer = await generate({
    messages: [
      { role: 'SYSTEM', content: 'You answer in one word.' },
      { role: 'USER', content: 'My cat is called Biscuit.' },
      { role: 'ASSISTANT', content: 'Nice.' },
      { role: 'USER', content: 'What is the name of my cat?' },
    ],
    maxTokens: 20,
  })
  expect(answer.text).toContain('Biscuit')
})

test('characters outside the basic plane keep their offsets', async () => {
  const log = watch(hearth, await submit(hearth, text({ prompt: 'Repeat after me: 😀🎉😀🎉😀🎉', maxTokens: 40 })))
  const output = await log.output()
  expect(log.text).toBe(output.text)
  expect(output.text?.isWellFormed()).toBe(true)
})

test('more requests than the engine has slots run side by side and all end', async () => {
  const ids = await submitAll(
    hearth,
    Array.from({ length: 6 }, (_, index) => text({ prompt: `Write about the number ${index}.`, maxTokens: 20 })),
  )
  const logs = ids.map((id) => watch(hearth, id))
  const outputs = await Promise.all(logs.map((log) => log.output()))
  expect(logs.map((log) => log.text)).toEqual(outputs.map(({ text: output }) => output))
  const starts = await Promise.all(logs.map((log) => log.event('JobStarted')))
  const ends = await Promise.all(logs.map((log) => log.final()))
  const firstEnd = Math.min(...ends.map(({ sequence }) => sequence))
  expect(starts.filter(({ sequence }) => sequence < firstEnd).length).toBeGreaterThan(1)
})

test('a job tells what was asked, with the defaults of the model filled in, and how long it took', async () => {
  const id = await submit(hearth, {
    model: 'smollm2-135m-instruct',
    task: { generateText: { prompt: rainbow, maxTokens: 5 } },
  })
  await watch(hearth, id).final()
  const { job } = await hearth.ask<{ job: JobFacts }>(
    `query ($id: ID!) { job(id: $id) { state task request model { name } attemptCount progress { done unit }
      timings { queueMs runMs totalMs timeToFirstPartialMs } startedAt finishedAt } }`,
    { id },
  )
  expect(job).toMatchObject({
    state: 'SUCCEEDED',
    task: 'generateText',
    model: { name: 'smollm2-135m-instruct' },
    attemptCount: 1,
  })
  expect(job.request).toMatchObject({
    generateText: {
      prompt: rainbow,
      maxTokens: 5,
      temperature: 0.2,
      topP: 0.9,
      stop: [],
      seed: expect.any(Number) as number,
    },
  })
  const { queueMs, runMs, totalMs, timeToFirstPartialMs } = job.timings
  expect(queueMs + runMs).toBeLessThanOrEqual(totalMs)
  expect(timeToFirstPartialMs).toBeGreaterThan(0)
  expect(timeToFirstPartialMs).toBeLessThanOrEqual(totalMs)
})

interface JobFacts {
  readonly state: string
  readonly request: unknown
  readonly timings: Readonly<Record<'queueMs' | 'runMs' | 'totalMs' | 'timeToFirstPartialMs', number>>
}

test('a text that is written when the server is killed goes on, and is put together by the same rule', async () => {
  const dataDir = await dataFolder()
  const first = await startServer({ dataDir })
  const id = await submit(first, text({ prompt: 'Tell a long story about a lighthouse.', maxTokens: 200 }))
  await watch(first, id).reaches('some text', ({ offset = 0 }) => offset > 40)
  await first.kill()
  const second = await startServer({ dataDir })
  const log = watch(second, id)
  const output = await log.output()
  expect(log.types).toContain('JobRequeued')
  expect(log.text).toBe(output.text)
  await second.stop()
}, 90_000)
