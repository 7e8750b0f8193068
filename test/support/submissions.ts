/** What tests submit, and the submitting. */
import type { Hearth } from './hearth.ts'

export type JobInput = Readonly<{ model: string; task: object } & Record<string, unknown>>

/** As the no-op program has it. */
export const itemsPerStep = 4096

export interface NoopParameters {
  /** Given back as the job's output. */
  readonly value?: unknown
  /** How many partial items it emits, at most `itemsPerStep` a step. */
  readonly items?: number
  /** Counted from 1. */
  readonly steps?: number
  readonly stepMs?: number
  readonly exitAtStep?: number
  readonly hangAtStep?: number
  readonly failAtStep?: number
  readonly outOfMemoryAbove?: number
  /** Private memory that each state takes while a step lasts. */
  readonly stepBytes?: number
  /** The output carries a tensor of so many bytes for each. */
  readonly tensorBytes?: readonly number[]
}
export interface TextRequest {
  readonly prompt?: string
  readonly messages?: readonly { readonly role: 'SYSTEM' | 'USER' | 'ASSISTANT'; readonly content: string }[]
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly stop?: readonly string[]
  readonly seed?: number
}
export interface PictureRequest {
  readonly prompt?: string
  readonly negativePrompt?: string
  readonly steps?: number
  readonly guidance?: number
  readonly seed?: number
  readonly count?: number
  readonly upscale?: number
}
type Rest = Readonly<Record<string, unknown>>

export const textModel = 'smollm2-135m-instruct'
export const embeddingModel = 'all-minilm-l6-v2'
export const pictureModel = 'ember'

export function noop(parameters: NoopParameters = {}, rest: Rest = {}): JobInput {
  return { model: 'noop', task: { program: { name: 'noop', parameters } }, ...rest }
}
/** Greedy unless asked otherwise, so that a test may expect the same text again. */
export function text(request: TextRequest, rest: Rest = {}): JobInput {
  return { model: textModel, task: { generateText: { temperature: 0, seed: 1, ...request } }, ...rest }
}
/** The same picture every time, unless asked otherwise. */
export function picture(request: PictureRequest = {}, rest: Rest = {}): JobInput {
  const prompt = 'noto red apple on a blue background'
  return { model: pictureModel, task: { textToImage: { prompt, seed: 7, ...request } }, ...rest }
}
export function embeddings(texts: readonly string[], rest: Rest = {}): JobInput {
  return { model: embeddingModel, task: { embedText: { texts } }, ...rest }
}

export interface MutationError {
  readonly __typename: string
  readonly message: string
  readonly fields?: readonly { readonly path: string; readonly message: string }[]
  readonly kind?: string
  readonly reference?: string
  readonly limit?: string
  readonly retryAfterMs?: number
  readonly neededBytes?: number
  readonly availableBytes?: number
  readonly suggestion?: string
}
/** Every error, whatever result it is part of. */
export const errorFields = `... on Error { __typename message
  ... on InvalidInputError { fields { path message } }
  ... on NotFoundError { kind reference }
  ... on OverloadedError { limit retryAfterMs }
  ... on ModelTooLargeError { neededBytes availableBytes suggestion } }`

export interface SubmittedJob {
  readonly id: string
  readonly state: string
}
export type SubmitAnswer = { readonly job?: SubmittedJob } & Partial<MutationError>
export type SubmitManyAnswer = { readonly jobs?: readonly SubmittedJob[] } & Partial<MutationError>

export const submitMutation = `mutation ($input: SubmitJobInput!) { submitJob(input: $input) {
  ... on SubmitJobSuccess { job { id state } } ${errorFields} } }`
export const submitManyMutation = `mutation ($input: SubmitJobsInput!) { submitJobs(input: $input) {
  ... on SubmitJobsSuccess { jobs { id state } } ${errorFields} } }`

/** The answer as it is, success or error. */
export async function trySubmit(hearth: Hearth, input: JobInput): Promise<SubmitAnswer> {
  const { submitJob } = await hearth.ask<{ submitJob: SubmitAnswer }>(submitMutation, { input })
  return submitJob
}
export async function trySubmitAll(hearth: Hearth, jobs: readonly JobInput[]): Promise<SubmitManyAnswer> {
  const { submitJobs } = await hearth.ask<{ submitJobs: SubmitManyAnswer }>(submitManyMutation, { input: { jobs } })
  return submitJobs
}

/** The job's id. */
export async function submit(hearth: Hearth, input: JobInput): Promise<string> {
  const { job, message } = await trySubmit(hearth, input)
  if (!job) throw new Error(`Not accepted: ${message}`)
  return job.id
}
export async function submitAll(hearth: Hearth, inputs: readonly JobInput[]): Promise<string[]> {
  const { jobs, message } = await trySubmitAll(hearth, inputs)
  if (!jobs) throw new Error(`Not accepted: ${message}`)
  return jobs.map(({ id }) => id)
}
