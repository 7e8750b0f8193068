/** generateText: what is accepted, and what is filled in from the model's manifest. */
import type { Manifest } from '../../runtime/models/manifest.ts'
import type { GenerateTextInput } from '../app.ts'
import type { Problems } from './problems.ts'

const messagesMax = 1000
const stopsMax = 16
const stopBytesMax = 256
const temperatureMax = 5

/** The accepted task: exactly one of `prompt` and `messages`. */
export interface GenerateTextRequest {
  readonly prompt?: string
  readonly messages?: NonNullable<GenerateTextInput['messages']>
  readonly maxTokens: number
  readonly temperature: number
  readonly topP: number
  readonly stop: readonly string[]
  readonly seed: number
}

/** `drawSeed` is asked when the caller gives none. */
export function normaliseGenerateText(
  input: GenerateTextInput,
  manifest: Manifest,
  promptBytesMax: number,
  drawSeed: () => number,
  problems: Problems,
): GenerateTextRequest {
  const tokensMax = manifest.limits.maxTokens ?? 4096
  const maxTokens = input.maxTokens ?? numberDefault(manifest, 'maxTokens', Math.min(256, tokensMax))
  const temperature = input.temperature ?? numberDefault(manifest, 'temperature', 0.8)
  const topP = input.topP ?? numberDefault(manifest, 'topP', 1)
  const stop = input.stop ?? stopDefault(manifest)

  checkPrompt(input, promptBytesMax, problems)
  problems.integer('maxTokens', maxTokens, 1, tokensMax)
  problems.number('temperature', temperature, 0, temperatureMax)
  problems.number('topP', topP, 0, 1, true)
  if (stop.length > stopsMax) problems.add('stop', `must have at most ${stopsMax} entries; given: ${stop.length}.`)
  for (const [index, word] of stop.slice(0, stopsMax).entries()) {
    problems.wellFormed(`stop.${index}`, word)
    if (word === '') problems.add(`stop.${index}`, 'must not be empty.')
    else if (Buffer.byteLength(word) > stopBytesMax)
      problems.add(`stop.${index}`, `must be at most ${stopBytesMax} bytes.`)
  }
  if (input.seed != null && input.seed < 0) problems.add('seed', `must not be negative; given: ${input.seed}.`)

  const seed = input.seed ?? drawSeed()
  const prompt = input.messages ? { messages: input.messages } : { prompt: input.prompt ?? '' }
  return { ...prompt, maxTokens, temperature, topP, stop, seed }
}

/** What the program `generate_text` is given. */
export function generateTextForWorker(request: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { prompt, messages, ...sampling } = request
  const turns = (messages ?? [{ role: 'USER', content: prompt }]) as readonly { role: string; content: string }[]
  return { ...sampling, messages: turns.map(({ role, content }) => ({ role: role.toLowerCase(), content })) }
}

function checkPrompt(input: GenerateTextInput, bytesMax: number, problems: Problems): void {
  const { prompt, messages } = input
  if ((prompt == null) === (messages == null)) {
    problems.add('prompt', 'give exactly one of prompt and messages.')
    return
  }
  if (prompt != null) problems.text('prompt', prompt, bytesMax)
  if (messages == null) return
  if (messages.length === 0) problems.add('messages', 'must have at least one message.')
  if (messages.length > messagesMax)
    problems.add('messages', `must have at most ${messagesMax} messages; given: ${messages.length}.`)
  let bytes = 0
  for (const [index, { content }] of messages.slice(0, messagesMax).entries()) {
    problems.text(`messages.${index}.content`, content, bytesMax)
    bytes += Buffer.byteLength(content)
  }
  if (bytes > bytesMax) problems.add('messages', `must have at most ${bytesMax} bytes together.`)
  if (messages.length > 0 && messages.at(-1)?.role === 'ASSISTANT')
    problems.add(
      `messages.${messages.length - 1}.role`,
      'the last message must be from USER or SYSTEM: the model writes the next one.',
    )
}

function numberDefault(manifest: Manifest, name: string, fallback: number): number {
  const value = manifest.defaults[name]
  return typeof value === 'number' ? value : fallback
}

function stopDefault(manifest: Manifest): readonly string[] {
  const value = manifest.defaults['stop']
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : []
}
