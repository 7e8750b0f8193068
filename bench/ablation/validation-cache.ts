/**
 * Checks of requests with many tensors, remembered or made anew: the check itself, as `infer` makes it before the queue. How many are remembered is
 * counted over a mix in which few shapes are frequent and many are rare, as lengths of texts and sizes of batches are.
 */
import { checkSignature, type RequestOutline } from '../../src/app/validation/signature.ts'
import { ValidationCache } from '../../src/app/validation/validation-cache.ts'
import type { Signature } from '../../src/runtime/models/signature.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'
import { randomFrom, zipf } from './random.ts'

const tensorCount = 48
const tensorBytesMax = 2 ** 30
/** Batch sizes times lengths; drawn with the frequency 1 / rank. */
const shapeCount = 1000
const mixSize = 10_000
const repetitions = 6000
/** A request has just been read when it is checked, so it is in the processor's caches; so many requests fit there. */
const nearRequests = 64
const cacheSettings = { entriesMax: 10_000, keptMs: 3_600_000 }
const version = 'a'.repeat(64)

const signature: Signature = {
  inputs: Array.from({ length: tensorCount }, (_, index) => ({
    name: `past_key_values.${index}`,
    dtype: 'float32',
    shape: ['batch', 8, 'length', 64],
  })),
  outputs: [{ name: 'logits', dtype: 'float32', shape: ['batch', 'length', 512] }],
  others: [],
}

export const validationCache: Mechanism = {
  name: 'validation-cache',
  naive: 'every request is checked anew against what its model takes (HEARTH_WITHOUT=validation-cache).',
  pairs: 4,
  comparisons: [
    {
      key: 'same',
      what: `check of ${tensorCount} tensors, shaped like the request before`,
      unit: 'µs',
      mustBring: { less: 0.9 },
    },
    { key: 'other', what: `check of ${tensorCount} tensors, seen before`, unit: 'µs', mustBring: { less: 0.9 } },
    {
      key: 'hits',
      what: `remembered, of ${mixSize.toLocaleString('en')} requests with ${shapeCount.toLocaleString('en')} shapes by Zipf's law`,
      unit: 'share',
      mustBring: { reaches: 0.85 },
    },
  ],
  open: async () => {
    const shapes = Array.from({ length: shapeCount }, (_, rank) => outlineOf(rank))
    const mix = drawMix(shapes)
    const kept = new ValidationCache(cacheSettings)
    const none = new ValidationCache(null)
    return sidesOf(new AsyncDisposableStack(), {
      with: async () => ({ ...measure(kept, mix), hits: hitRate(mix) }),
      without: async () => measure(none, mix),
    })
  },
}

function measure(cache: ValidationCache, mix: readonly RequestOutline[]): Values {
  for (const outline of mix) check(cache, outline)
  return { same: microsecondsEach(cache, mix.slice(0, 1)), other: microsecondsEach(cache, mix.slice(0, nearRequests)) }
}

function microsecondsEach(cache: ValidationCache, requests: readonly RequestOutline[]): number {
  const startedAt = performance.now()
  for (let index = 0; index < repetitions; index += 1) check(cache, requests[index % requests.length] as RequestOutline)
  return ((performance.now() - startedAt) / repetitions) * 1000
}

function hitRate(mix: readonly RequestOutline[]): number {
  const cache = new ValidationCache(cacheSettings)
  for (const outline of mix) check(cache, outline)
  const { hits, misses } = cache.figures
  return hits / (hits + misses)
}

function check(cache: ValidationCache, outline: RequestOutline): void {
  const problems = cache.check(version, outline, () => checkSignature(signature, outline, tensorBytesMax))
  if (problems.length > 0) throw new Error(`A right request was refused: ${problems[0]?.message}`)
}

/** Requests come from JSON: equal ones are other objects. */
function drawMix(shapes: readonly RequestOutline[]): RequestOutline[] {
  const draw = zipf(shapes.length, randomFrom(1))
  return Array.from({ length: mixSize }, () => structuredClone(shapes[draw()] as RequestOutline))
}

function outlineOf(rank: number): RequestOutline {
  const shape = [1 + (rank % 8), 8, 1 + rank, 64]
  return { tensors: signature.inputs.map(({ name, dtype }) => ({ name, dtype, shape })), outputs: null }
}
