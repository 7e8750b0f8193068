/** Mixed jobs from a seed: most ask for a few of the models, and some for each of the others. */
import type { SubmitJobInput } from '../clients/jobs.ts'
import { encoders, painters, writer } from './small-devices.ts'

/** A number from 0 to 1 at each call (mulberry32). */
export function draws(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function drawJobs(count: number, seed: number): SubmitJobInput[] {
  const draw = draws(seed)
  return Array.from({ length: count }, () => {
    const priorityClass = draw() < 0.6 ? 'INTERACTIVE' : 'BATCH'
    const kind = draw()
    if (kind < 0.1) return { ...noop(draw), priorityClass }
    if (kind < 0.6) return { ...embedding(preferred(encoders, draw)), priorityClass }
    return kind < 0.9
      ? { ...picture(preferred(painters, draw), 3, draw), priorityClass }
      : { ...sentence(draw), priorityClass }
  })
}

/** The first twice as likely as the second, and so on. */
function preferred(names: readonly string[], draw: () => number): string {
  let left = draw() * (2 - 2 ** (1 - names.length))
  for (const [place, name] of names.entries()) {
    left -= 2 ** -place
    if (left < 0) return name
  }
  return names[0] ?? ''
}

export function embedding(model: string, texts = 2): SubmitJobInput {
  const text = Array.from({ length: 30 }, () => 'water').join(' ')
  return { model, task: { embedText: { texts: Array.from({ length: texts }, () => text) } } }
}

export function picture(model: string, steps: number, draw: () => number): SubmitJobInput {
  return { model, task: { textToImage: { prompt: 'a red circle', steps, seed: Math.floor(draw() * 1e6) } } }
}

function sentence(draw: () => number): SubmitJobInput {
  return { model: writer, task: { generateText: { prompt: 'Water is', maxTokens: 8, seed: Math.floor(draw() * 1e6) } } }
}

function noop(draw: () => number): SubmitJobInput {
  return { model: 'noop', task: { program: { name: 'noop', parameters: { value: 0, stepMs: 10 + 20 * draw() } } } }
}
