/** The tasks that can be asked for: the name of the field is the name of the task. */
import type {
  ArtifactReference,
  GenerateTextInput as GenerateText,
  ImageInput as Image,
  TaskInput as Task,
  TensorInput as Tensor,
  TextToImageInput as TextToImage,
} from '../src/app/app.ts'
import { builder } from './builder.ts'
import { decodeId } from './ids.ts'

const ChatRole = builder.enumType('ChatRole', { values: ['SYSTEM', 'USER', 'ASSISTANT'] as const })

const ChatMessageInput = builder.inputType('ChatMessageInput', {
  fields: (t) => ({
    role: t.field({ type: ChatRole, required: true }),
    content: t.string({ required: true }),
  }),
})

const TextToImageInput = builder.inputType('TextToImageInput', {
  description: "What is left out, the model's defaults say (ModelVersion.defaults).",
  fields: (t) => ({
    prompt: t.string({ required: true }),
    negativePrompt: t.string({ description: 'What the picture shall not show.' }),
    width: t.int({ description: 'Pixels, before `upscale`.' }),
    height: t.int(),
    steps: t.int({ description: 'Of denoising: more take longer, and look better up to a point.' }),
    guidance: t.float({ description: 'How closely it follows the prompt.' }),
    seed: t.field({
      type: 'SafeInt',
      description: 'Same seed, same picture. Picture i has seed + i. Drawn once when left out.',
    }),
    count: t.int({ required: true, defaultValue: 1, description: 'How many pictures.' }),
    upscale: t.int({ description: 'Each picture so many times as wide and as high; 1 = as it is.' }),
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

const ImageInput = builder.inputType('ImageInput', {
  isOneOf: true,
  fields: (t) => ({
    artifactId: t.id({ description: 'An upload, or what another job has made.' }),
    dataUrl: t.string({ description: '`data:image/png;base64,...`, at most 64 KiB decoded.' }),
  }),
})

const ClassifyImageInput = builder.inputType('ClassifyImageInput', {
  fields: (t) => ({
    image: t.field({ type: ImageInput, required: true }),
    topK: t.int({ required: true, defaultValue: 5, description: 'At most so many labels, best first.' }),
  }),
})

const UpscaleImageInput = builder.inputType('UpscaleImageInput', {
  fields: (t) => ({
    image: t.field({ type: ImageInput, required: true }),
    factor: t.int({ required: true, description: 'So many times as wide and as high.' }),
  }),
})

const TensorInput = builder.inputType('TensorInput', {
  description: 'Exactly one of values and artifactId.',
  fields: (t) => ({
    name: t.string({ required: true }),
    dtype: t.string({
      required: true,
      description: '`float32`, `int64`, `bool`, `string`, ... as the model takes it.',
    }),
    shape: t.intList({ required: true }),
    values: t.field({
      type: 'JSON',
      description:
        'Lists nested as the shape says, or one flat list, last axis fastest. Integers beyond 2^53, NaN and Infinity as strings.',
    }),
    artifactId: t.id({
      description: 'A file of raw little-endian bytes, exactly as many as the shape takes, or .npy.',
    }),
  }),
})

const InferInput = builder.inputType('InferInput', {
  description: 'Named tensors in, named tensors out, as ModelVersion.inputs and outputs say.',
  fields: (t) => ({
    tensors: t.field({ type: [TensorInput], required: true }),
    outputs: t.stringList({ description: 'Which outputs, in which order; default: all.' }),
  }),
})

const ProgramInput = builder.inputType('ProgramInput', {
  description: 'A program that a third party has added.',
  fields: (t) => ({
    name: t.string({ required: true }),
    parameters: t.field({ type: 'JSON', required: true }),
    artifactIds: t.idList({ description: 'Files that the program takes beside its parameters.' }),
  }),
})

export const TaskInput = builder.inputType('TaskInput', {
  isOneOf: true,
  fields: (t) => ({
    textToImage: t.field({ type: TextToImageInput }),
    generateText: t.field({ type: GenerateTextInput }),
    embedText: t.field({ type: EmbedTextInput }),
    classifyImage: t.field({ type: ClassifyImageInput }),
    upscaleImage: t.field({ type: UpscaleImageInput }),
    infer: t.field({ type: InferInput }),
    program: t.field({ type: ProgramInput }),
  }),
})

export function readTask(input: typeof TaskInput.$inferInput): Task {
  const { textToImage, generateText, embedText, classifyImage, upscaleImage, infer, program } = input
  if (textToImage) return { textToImage: readTextToImage(textToImage) }
  if (generateText) return { generateText: readGenerateText(generateText) }
  if (embedText) return { embedText }
  if (classifyImage) return { classifyImage: { image: readImage(classifyImage.image), topK: classifyImage.topK } }
  if (upscaleImage) return { upscaleImage: { image: readImage(upscaleImage.image), factor: upscaleImage.factor } }
  if (infer) return { infer: { tensors: infer.tensors.map(readTensor), outputs: infer.outputs ?? null } }
  if (program) return { program: readProgram(program) }
  throw new Error('A @oneOf input without a field passed validation.')
}

function readImage({ artifactId, dataUrl }: typeof ImageInput.$inferInput): Image {
  return typeof artifactId === 'string' ? { artifactId: readArtifactId(artifactId) } : { dataUrl: dataUrl ?? null }
}

function readTensor({ name, dtype, shape, values, artifactId }: typeof TensorInput.$inferInput): Tensor {
  const given = typeof artifactId === 'string' ? readArtifactId(artifactId) : null
  return { name, dtype, shape, values: values ?? null, artifactId: given }
}

function readProgram({ name, parameters, artifactIds }: typeof ProgramInput.$inferInput): NonNullable<Task['program']> {
  // Only what was given: whether it was is part of what makes two inputs the same.
  return artifactIds ? { name, parameters, artifactIds: artifactIds.map(readArtifactId) } : { name, parameters }
}

function readArtifactId(id: string): ArtifactReference {
  return decodeId('Artifact', id) ?? { malformed: id }
}

function readTextToImage(input: typeof TextToImageInput.$inferInput): TextToImage {
  return {
    prompt: input.prompt,
    negativePrompt: input.negativePrompt ?? null,
    width: input.width ?? null,
    height: input.height ?? null,
    steps: input.steps ?? null,
    guidance: input.guidance ?? null,
    seed: input.seed ?? null,
    count: input.count,
    upscale: input.upscale ?? null,
  }
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
