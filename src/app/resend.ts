/** Submissions that come again under the same key: what makes two inputs the same, and the jobs that they named the first time. */
import { createHash } from 'node:crypto'
import type { JobRecord } from '../store/records.ts'
import type { SubmitJobInput } from './app.ts'
import type { AppContext } from './context.ts'

/** The jobs of an earlier, equal submission; null unless every input has a key that names one. */
export async function jobsSentBefore(
  context: AppContext,
  inputs: readonly SubmitJobInput[],
): Promise<readonly JobRecord[] | null> {
  if (inputs.some(({ idempotencyKey }) => !idempotencyKey)) return null
  const found: JobRecord[] = []
  for (const input of inputs) {
    const job = await jobSentBefore(context, input)
    if (!job) return null
    found.push(job)
  }
  return found
}

async function jobSentBefore({ live, store }: AppContext, input: SubmitJobInput): Promise<JobRecord | null> {
  const key = input.idempotencyKey ?? ''
  const job = (await live.byKey(key)) ?? (await store.readJobByKey(key))
  return job && (await store.readFingerprint(job.id)) === fingerprintOf(input) ? job : null
}

/** Over the input as sent, with the schema's defaults and before a seed is drawn. */
export function fingerprintOf(input: SubmitJobInput): string {
  const { sessionId = null, model, task, priorityClass = null, deadline = null, previews = null } = input
  const { program, ...others } = task
  // In the parameters of a program a null is data; elsewhere it is the same as nothing.
  const parts = [
    sorted({ sessionId, model, priorityClass, deadline, previews, task: others }, true),
    sorted(program ?? null, false),
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

/** Keys in one order, so that equal inputs have equal fingerprints however they were written. */
function sorted(value: unknown, dropNulls: boolean): unknown {
  // Values of a tensor, of which there may be millions, are not copied.
  if (Array.isArray(value))
    return value.every((item) => typeof item !== 'object') ? value : value.map((item) => sorted(item, dropNulls))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, member]) => !dropNulls || (member !== null && member !== undefined))
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member, dropNulls)]),
  )
}
