/** The tasks that can be asked for: the name of the field is the name of the task. */
import type { GenerateTextInput as GenerateText, TaskInput as Task } from '../src/app/app.ts'
import { builder } from './builder.ts'

const ChatRole = builder.enumType('ChatRole', { values: ['SYSTEM', 'USER', 'ASSISTANT'] as const })

const ChatMessageInput = builder.inputType('ChatMessageInput', {
  fields: (t) => ({
    role: t.field({ type: ChatRole, required: true }),
    content: t.string({ required: true }),
  }),
})

const GenerateTextInput = builder.inputType('GenerateTextInput', {
  description: "Exactly one of prompt and messages; a prompt is one USER message through the model's chat template.",
  fields: (t) => ({
    prompt: t.string(),
    messages: t.field({ type: [ChatMessageInput] }),
    maxTokens: t.int(),
    temperature: t.float(),
    topP: t.float(),
    stop: t.stringList(),
    seed: t.field({ type: 'SafeInt' }),
  }),
})

const EmbedTextInput = builder.inputType('EmbedTextInput', {
  fields: (t) => ({ texts: t.stringList({ required: true }) }),
})

const ProgramInput = builder.inputType('ProgramInput', {
  description: 'A program that a third party has added.',
  fields: (t) => ({
    name: t.string({ required: true }),
    parameters: t.field({ type: 'JSON', required: true }),
  }),
})

export const TaskInput = builder.inputType('TaskInput', {
  isOneOf: true,
  fields: (t) => ({
    generateText: t.field({ type: GenerateTextInput }),
    embedText: t.field({ type: EmbedTextInput }),
    program: t.field({ type: ProgramInput }),
  }),
})

export function readTask({ generateText, embedText, program }: typeof TaskInput.$inferInput): Task {
  if (generateText) return { generateText: readGenerateText(generateText) }
  if (embedText) return { embedText }
  if (program) return { program: { name: program.name, parameters: program.parameters } }
  throw new Error('A @oneOf input without a field passed validation.')
}

function readGenerateText(input: typeof GenerateTextInput.$inferInput): GenerateText {
  return {
    prompt: input.prompt ?? null,
    messages: input.messages ?? null,
    maxTokens: input.maxTokens ?? null,
    temperature: input.temperature ?? null,
    topP: input.topP ?? null,
    stop: input.stop ?? null,
    seed: input.seed ?? null,
  }
}
