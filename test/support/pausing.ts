/** Pausing and resuming as a client does it. */
import type { Hearth } from './hearth.ts'
import { errorFields, type MutationError } from './submissions.ts'

export type PauseAnswer = { readonly job?: { readonly id: string; readonly state: string } } & Partial<MutationError>

export async function pause(hearth: Hearth, id: string): Promise<PauseAnswer> {
  const mutation = `mutation ($id: ID!) { pauseJob(id: $id) { ... on PauseJobSuccess { job { id state } } ${errorFields} } }`
  return (await hearth.ask<{ pauseJob: PauseAnswer }>(mutation, { id })).pauseJob
}

export async function resume(hearth: Hearth, id: string): Promise<PauseAnswer> {
  const mutation = `mutation ($id: ID!) { resumeJob(id: $id) { ... on ResumeJobSuccess { job { id state } } ${errorFields} } }`
  return (await hearth.ask<{ resumeJob: PauseAnswer }>(mutation, { id })).resumeJob
}
