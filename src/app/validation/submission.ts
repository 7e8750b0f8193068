/** A submission, checked whole and normalised once: what is wrong is told all at once, what is right needs no second look. */
import { randomInt } from 'node:crypto'
import type { SessionRecord, TaskKind } from '../../store/records.ts'
import type { SubmitJobInput, TaskInput } from '../app.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { AppContext } from '../context.ts'
import { Conflict, type FieldProblem, InvalidInput, type ModelTooLarge, NotFound } from '../errors.ts'
import { refusedModel } from '../refused-model.ts'
import { tooLarge } from '../too-large.ts'
import { normaliseEmbedText } from './embed-text.ts'
import { normaliseGenerateText } from './generate-text.ts'
import { Problems } from './problems.ts'
import { normaliseProgram } from './program.ts'

const keyCharsMax = 256
/** Of an unknown model, whose own limit is unknown too. */
const textsLookedAtMax = 256
/** A seed that every engine takes. */
const seedMax = 2 ** 31 - 1

export interface AcceptedSubmission {
  readonly entry: CatalogueEntry
  readonly session: SessionRecord | null
  readonly taskKind: TaskKind
  /** The accepted task with defaults filled in. */
  readonly request: Readonly<Record<string, unknown>>
}

/** Either everything that was accepted, in order, or why nothing was. Field problems win over a missing model or session, because they can be mended together. */
export function checkSubmissions(
  context: AppContext,
  inputs: readonly SubmitJobInput[],
  prefixes: readonly string[],
): readonly AcceptedSubmission[] | InvalidInput | NotFound | Conflict | ModelTooLarge {
  const problems: FieldProblem[] = []
  const accepted: AcceptedSubmission[] = []
  let refusal: NotFound | Conflict | ModelTooLarge | null = null
  for (const [index, input] of inputs.entries()) {
    const own = new Problems(prefixes[index] ?? '')
    const result = checkSubmission(context, input, own)
    problems.push(...own.found)
    if ('kind' in result) refusal ??= result
    else accepted.push(result)
  }
  if (problems.length > 0) return new InvalidInput(problems)
  return refusal ?? accepted
}

function checkSubmission(
  context: AppContext,
  input: SubmitJobInput,
  problems: Problems,
): AcceptedSubmission | NotFound | Conflict | ModelTooLarge {
  checkKey(input.idempotencyKey ?? null, problems)
  if (input.deadline != null && input.deadline <= context.clock.now())
    problems.add('deadline', 'must lie in the future.')
  const session = findSession(context, input.sessionId ?? null, problems)
  const entry = context.catalogue.resolve(input.model)
  if (!entry) {
    checkWithoutModel(input.task, context, problems)
    return new NotFound(
      'Model',
      input.model,
      `No model ${JSON.stringify(input.model)} is known here; known: ${context.catalogue.names().join(', ') || 'none'}.`,
    )
  }
  const { taskKind, request } = normaliseTask(input.task, entry, context, problems)
  if (session === 'unknown') return new NotFound('Session', JSON.stringify(input.sessionId))
  if (session === 'closed') return new Conflict('The session is closed; open a new one, or submit without a session.')
  if (!entry.spec) return refusedModel(entry)
  return tooLarge(context, entry) ?? { entry, session, taskKind, request }
}

function findSession(
  context: AppContext,
  id: NonNullable<SubmitJobInput['sessionId']> | null,
  problems: Problems,
): SessionRecord | 'closed' | 'unknown' | null {
  if (id === null) return null
  if (typeof id === 'number') return context.sessions.find(id)
  problems.add('sessionId', `${JSON.stringify(id.malformed)} is not the id of a session.`)
  return null
}

function normaliseTask(
  task: TaskInput,
  entry: CatalogueEntry,
  context: AppContext,
  problems: Problems,
): { taskKind: TaskKind; request: Record<string, unknown> } {
  const taskKind = kindOf(task)
  const scoped = new Problems('')
  const request = normaliseOf(task, taskKind, entry, context, scoped)
  if (entry.model.task === taskKind)
    for (const { path, message } of scoped.found) problems.add(`task.${taskKind}.${path}`, message)
  else problems.add('task', `model ${entry.model.name} does ${entry.model.task}, not ${taskKind}.`)
  return { taskKind, request: { [taskKind]: request } }
}

function normaliseOf(
  task: TaskInput,
  taskKind: TaskKind,
  entry: CatalogueEntry,
  context: AppContext,
  problems: Problems,
): Record<string, unknown> {
  const textBytesMax = context.config.HEARTH_MAX_PROMPT_BYTES
  if (task.generateText)
    return normaliseGenerateText(task.generateText, entry.manifest, textBytesMax, drawSeed, problems)
  if (task.embedText) return normaliseEmbedText(task.embedText, entry.manifest, textBytesMax, problems)
  if (task.program) return normaliseProgram(task.program, entry.manifest, problems)
  throw new Error(`A task of no known kind passed the schema: ${taskKind}.`)
}

/** With an unknown model, what can be said without its manifest is still said. */
function checkWithoutModel(task: TaskInput, context: AppContext, problems: Problems): void {
  const textBytesMax = context.config.HEARTH_MAX_PROMPT_BYTES
  if (task.generateText?.prompt != null)
    problems.text('task.generateText.prompt', task.generateText.prompt, textBytesMax)
  if (task.generateText?.maxTokens != null && task.generateText.maxTokens < 1)
    problems.add('task.generateText.maxTokens', `must be at least 1; given: ${task.generateText.maxTokens}.`)
  for (const [index, text] of (task.embedText?.texts ?? []).slice(0, textsLookedAtMax).entries())
    problems.text(`task.embedText.texts.${index}`, text, textBytesMax)
}

export function kindOf(task: TaskInput): TaskKind {
  if (task.generateText) return 'generateText'
  if (task.embedText) return 'embedText'
  return 'program'
}

function checkKey(key: string | null, problems: Problems): void {
  if (key === null) return
  problems.wellFormed('idempotencyKey', key)
  if (key === '' || key.length > keyCharsMax)
    problems.add('idempotencyKey', `must have 1 to ${keyCharsMax} characters; given: ${key.length}.`)
}

function drawSeed(): number {
  return randomInt(seedMax)
}
