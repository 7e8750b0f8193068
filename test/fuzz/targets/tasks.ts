/** What somebody asks a model to do, after GraphQL has found its types right. What is accepted must be fit to be stored and sent to a worker. */
import { coerceInputValue, type GraphQLInputType } from 'graphql'
import { schema } from '../../../schema/schema.ts'
import type { GenerateTextInput, TaskInput, TensorInput } from '../../../src/app/app.ts'
import { bytesOfValues, textsOfValues } from '../../../src/app/tensors/values.ts'
import { normaliseGenerateText } from '../../../src/app/validation/generate-text.ts'
import { type InferChecks, normaliseInfer } from '../../../src/app/validation/infer.ts'
import { Problems } from '../../../src/app/validation/problems.ts'
import { normaliseProgram } from '../../../src/app/validation/program.ts'
import { ValidationCache } from '../../../src/app/validation/validation-cache.ts'
import { readManifest } from '../../../src/runtime/models/manifest.ts'
import { elementCount, isFixedDtype, itemBytes } from '../../../src/runtime/workers/dtypes.ts'
import { encode } from '../../../src/runtime/workers/message-pack.ts'
import { manifestOf } from '../../support/model-folder.ts'
import { holds, type Target } from '../target.ts'

const dtypes = [...Object.keys(itemBytes), 'string']
const read = readManifest(JSON.stringify(manifestOf('tiny', { 'model.onnx': 'graph' })))
if ('problems' in read) throw new Error(read.problems.join())
const { manifest } = read
const [{ program } = { program: '' }] = manifest.graph
const cacheBytesMax = 64 * 1024 * 1024

const checks: InferChecks = {
  signature: {
    inputs: [],
    optionalInputs: dtypes.map((dtype) => ({ name: dtype, dtype, shape: null })),
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch'] }],
    others: [],
  },
  versionSha256: 'f'.repeat(64),
  cache: new ValidationCache({ entriesMax: 1000, keptMs: 60_000 }),
  artifacts: new Map(),
  tensorBytesMax: 1024 * 1024,
  valuesBytesMax: 1024 * 1024,
}

const json = (...values: readonly unknown[]) => values.map((value) => Buffer.from(JSON.stringify(value)))
const tensor = (dtype: string, shape: readonly number[], values: unknown) => ({
  tensors: [{ name: dtype, dtype, shape, values }],
})
const words = [
  'null',
  '[]',
  '{}',
  '[[',
  ']]',
  '"NaN"',
  '"-Infinity"',
  '1e400',
  '-0',
  '9007199254740993',
  '"18446744073709551615"',
  '"\\ud800"',
  '"__proto__":',
  '2147483647',
  'true',
  '"shape":',
  '"values":',
  ...dtypes.map((dtype) => `"${dtype}"`),
]

export const taskTargets: readonly Target[] = [
  {
    name: 'infer-request',
    form: 'json',
    seeds: json(
      tensor(
        'float32',
        [2, 2],
        [
          [1, 2.5],
          ['NaN', -0],
        ],
      ),
      tensor('int64', [3], ['9223372036854775807', -1, 0]),
      tensor('uint8', [2, 1, 2], [0, 1, 254, 255]),
      tensor('bool', [2], [true, false]),
      tensor('float16', [], 65_504),
      tensor('string', [2], ['a', 'ä']),
      { ...tensor('bfloat16', [0, 3], []), outputs: ['y'] },
    ),
    words,
    keptBytesMax: cacheBytesMax,
    read(input) {
      const asked = coerced<{ tensors: readonly TensorInput[]; outputs?: readonly string[] | null }>(
        input,
        'InferInput',
      )
      if (!asked) return
      const tensors = asked.tensors.map(({ name, dtype, shape, values }) => ({ name, dtype, shape, values }))
      const problems = new Problems('task.infer')
      const accepted = normaliseInfer({ tensors, outputs: asked.outputs ?? null }, checks, problems)
      if (saysWhy(problems)) return
      isStorable(accepted)
      for (const { dtype, shape, values } of tensors) {
        const count = elementCount(shape)
        if (isFixedDtype(dtype))
          holds(bytesOfValues(dtype, shape, values).length === count * itemBytes[dtype], 'all elements become bytes')
        else holds(textsOfValues(values).length === count, 'all texts are there')
      }
    },
  },
  {
    name: 'program-request',
    form: 'json',
    seeds: json(
      { name: program, parameters: { a: [1, { b: null }], c: 'ä', d: 1.5, e: true } },
      { name: program, parameters: {} },
    ),
    words,
    read(input) {
      const asked = coerced<NonNullable<TaskInput['program']>>(input, 'ProgramInput')
      if (!asked) return
      const problems = new Problems('task.program')
      const accepted = normaliseProgram(
        { name: asked.name, parameters: asked.parameters },
        manifest,
        new Map(),
        problems,
      )
      if (!saysWhy(problems)) isStorable(accepted)
    },
  },
  {
    name: 'text-request',
    form: 'json',
    seeds: json(
      { prompt: 'Once', maxTokens: 5, temperature: 0.5, topP: 0.9, stop: ['x', '\n'], seed: 7 },
      {
        messages: [
          { role: 'SYSTEM', content: 'a' },
          { role: 'USER', content: 'b' },
        ],
      },
    ),
    words: [...words, '"SYSTEM"', '"messages":', '"prompt":', '"seed":', '-1'],
    read(input) {
      const asked = coerced<GenerateTextInput>(input, 'GenerateTextInput')
      if (!asked) return
      const problems = new Problems('task.generateText')
      const accepted = normaliseGenerateText(asked, manifest, 10_000, () => 1, problems)
      if (!saysWhy(problems)) isStorable(accepted)
    },
  },
]

/** As GraphQL hands it on; null when it would not. */
function coerced<Input>(bytes: Buffer, name: string): Input | null {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    return null
  }
  const result = coerceInputValue(value, schema.getType(name) as GraphQLInputType)
  return (result as Input | undefined) ?? null
}

/** Whether there are problems; each is told in words that are not too long. */
function saysWhy({ found }: Problems): boolean {
  for (const { path, message } of found)
    holds(path.length > 0 && message.length > 0 && message.length < 5000, `the problem of ${path.slice(0, 100)}`)
  return found.length > 0
}

function isStorable(request: unknown): void {
  const text = JSON.stringify(request)
  holds(text.isWellFormed(), 'what is stored is UTF-8')
  encode(JSON.parse(text))
}
