/** A submission, checked whole and normalised once: what is wrong is told all at once, what is right needs no second look. */
import { randomInt } from 'node:crypto'
import type { SessionRecord, TaskKind } from '../../store/records.ts'
import type { SubmitJobInput, TaskInput } from '../app.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { AppContext } from '../context.ts'
import { Conflict, type FieldProblem, InvalidInput, type ModelTooLarge, NotFound } from '../errors.ts'
import { seedMax } from '../picture-terms.ts'
import { refusedModel } from '../refused-model.ts'
import type { AcceptedRequest } from '../request-artifacts.ts'
import { tooLarge } from '../too-large.ts'
import { normaliseClassifyImage } from './classify-image.ts'
import { normaliseEmbedText } from './embed-text.ts'
import { normaliseGenerateText } from './generate-text.ts'
import { normaliseInfer } from './infer.ts'
import { artifactsNamedMax, findInputArtifacts, type InputArtifacts } from './input-artifacts.ts'
import { pictureTerms, withoutChecker } from './picture-terms.ts'
import { checkPreviews } from './previews.ts'
import { Problems } from './problems.ts'
import { normaliseProgram } from './program.ts'
import { normaliseTextToImage } from './text-to-image.ts'
import { normaliseUpscaleImage } from './upscale-image.ts'

const keyCharsMax = 256
/** Of an unknown model, whose own limit is unknown too. */
const textsLookedAtMax = 256
/** Of a whole submission, about. */
const problemsToldMax = 1000
/** When the one that was asked for is unknown. */
const modelsNamedMax = 50
export interface AcceptedSubmission {
  readonly entry: CatalogueEntry
  readonly session: SessionRecord | null
  readonly taskKind: TaskKind
  /** The accepted task with defaults filled in, and its terms. */
  readonly request: AcceptedRequest
}

/** What all inputs of a submission share: each artifact is looked up once, each model found and judged once. */
interface SharedFacts {
  readonly context: AppContext
  readonly artifacts: InputArtifacts
  readonly models: Map<string, ModelFacts | NotFound>
}
interface ModelFacts {
  readonly entry: CatalogueEntry
  /** Why no job of it can be accepted, whatever it asks. */
  readonly refusal: Conflict | ModelTooLarge | null
}

/** Either everything that was accepted, in order, or why nothing was. Field problems win over a missing model or session, because they can be mended together. */
export async function checkSubmissions(
  context: AppContext,
  inputs: readonly SubmitJobInput[],
  prefixes: readonly string[],
): Promise<readonly AcceptedSubmission[] | InvalidInput | NotFound | Conflict | ModelTooLarge> {
  const artifacts = await findInputArtifacts(context.artifacts, inputs)
  if (!artifacts)
    return new InvalidInput([
      {
        path: prefixes[0] === '' ? 'task' : 'jobs',
        message: `may name at most ${artifactsNamedMax} different artifacts in one submission; split it.`,
      },
    ])
  const shared: SharedFacts = { context, artifacts, models: new Map() }
  const problems: FieldProblem[] = []
  const accepted: AcceptedSubmission[] = []
  let refusal: NotFound | Conflict | ModelTooLarge | null = null
  for (const [index, input] of inputs.entries()) {
    // As within one job: who made more mistakes than this sees the rest when these are mended.
    if (problems.length >= problemsToldMax) break
    const own = new Problems(prefixes[index] ?? '')
    const result = checkSubmission(shared, input, own)
    problems.push(...own.found)
    if ('kind' in result) refusal ??= result
    else accepted.push(result)
  }
  if (problems.length > 0) return new InvalidInput(problems)
  return refusal ?? accepted
}

function checkSubmission(
  shared: SharedFacts,
  input: SubmitJobInput,
  problems: Problems,
): AcceptedSubmission | NotFound | Conflict | ModelTooLarge {
  const { context } = shared
  checkKey(input.idempotencyKey ?? null, problems)
  if (input.deadline != null && input.deadline <= context.clock.now())
    problems.add('deadline', `must lie in the future; here it is ${new Date(context.clock.now()).toISOString()}.`)
  const session = findSession(context, input.sessionId ?? null, problems)
  const model = findModel(shared, input.model)
  const manifest = model instanceof NotFound ? null : model.entry.manifest
  if (input.previews != null) checkPreviews(input.previews, kindOf(input.task), manifest, problems)
  if (model instanceof NotFound) {
    checkWithoutModel(input.task, context, problems)
    return model
  }
  const { entry, refusal } = model
  const { taskKind, request } = normaliseTask(input, entry, shared, problems)
  if (session !== null && 'kind' in session) return session
  return refusal ?? { entry, session, taskKind, request }
}

function findModel({ context, models }: SharedFacts, reference: string): ModelFacts | NotFound {
  const known = models.get(reference)
  if (known) return known
  const entry = context.catalogue.resolve(reference)
  const found = entry
    ? { entry, refusal: refusalOf(context, entry) }
    : new NotFound('Model', reference, unknownModel(reference, context.catalogue.names()))
  models.set(reference, found)
  return found
}

function refusalOf(context: AppContext, entry: CatalogueEntry): Conflict | ModelTooLarge | null {
  if (!entry.spec) return refusedModel(entry)
  return tooLarge(context, entry) ?? withoutChecker(entry.manifest, context.config.HEARTH_SAFETY_POLICY)
}

function unknownModel(reference: string, known: readonly string[]): string {
  const more = known.length > modelsNamedMax ? ` and ${known.length - modelsNamedMax} more` : ''
  const names = known.slice(0, modelsNamedMax).join(', ') || 'none'
  return `No model ${JSON.stringify(reference)} is known here; known: ${names}${more}. registerModel adds others.`
}

function findSession(
  context: AppContext,
  id: NonNullable<SubmitJobInput['sessionId']> | null,
  problems: Problems,
): SessionRecord | NotFound | Conflict | null {
  if (id === null) return null
  if (typeof id !== 'number') {
    problems.add(
      'sessionId',
      `${JSON.stringify(id.malformed)} is not the id of a session; openSession answers with one.`,
    )
    return null
  }
  const session = context.sessions.find(id)
  if (session === 'unknown') return new NotFound('Session', id)
  if (session === 'closed') return new Conflict('The session is closed; open a new one, or submit without a session.')
  return session
}

function normaliseTask(
  { task, previews = null }: SubmitJobInput,
  entry: CatalogueEntry,
  shared: SharedFacts,
  problems: Problems,
): { taskKind: TaskKind; request: AcceptedRequest } {
  const taskKind = kindOf(task)
  if (entry.model.task !== taskKind) {
    problems.add(
      'task',
      `model ${entry.model.name} does ${entry.model.task}, not ${taskKind}; ask it for that, or name another model.`,
    )
    return { taskKind, request: {} }
  }
  const scoped = new Problems('')
  const request = normaliseOf(task, taskKind, entry, shared, scoped)
  for (const { path, message } of scoped.found) problems.add(`task.${taskKind}.${path}`, message)
  const terms = pictureTerms(taskKind, entry.manifest, shared.context.config, previews)
  return { taskKind, request: { [taskKind]: request, ...(terms ? { terms } : {}) } }
}

function normaliseOf(
  task: TaskInput,
  taskKind: TaskKind,
  entry: CatalogueEntry,
  { context, artifacts }: SharedFacts,
  problems: Problems,
): object {
  const { config } = context
  const textBytesMax = config.HEARTH_MAX_PROMPT_BYTES
  const pixelsMax = config.HEARTH_MAX_IMAGE_PIXELS
  if (task.textToImage) return normaliseTextToImage(task.textToImage, entry.manifest, textBytesMax, drawSeed, problems)
  if (task.generateText)
    return normaliseGenerateText(task.generateText, entry.manifest, textBytesMax, drawSeed, problems)
  if (task.embedText) return normaliseEmbedText(task.embedText, entry.manifest, textBytesMax, problems)
  if (task.classifyImage) return normaliseClassifyImage(task.classifyImage, artifacts, pixelsMax, problems)
  if (task.upscaleImage) return normaliseUpscaleImage(task.upscaleImage, entry.manifest, artifacts, pixelsMax, problems)
  if (task.infer) {
    const checks = {
      signature: entry.signature,
      versionSha256: entry.version.sha256,
      cache: context.validation,
      artifacts,
      tensorBytesMax: config.HEARTH_MAX_TENSOR_BYTES,
      valuesBytesMax: config.HEARTH_MAX_VALUES_BYTES,
    }
    return normaliseInfer(task.infer, checks, problems)
  }
  if (task.program) return normaliseProgram(task.program, entry.manifest, artifacts, problems)
  throw new Error(`A task of no known kind passed the schema: ${taskKind}.`)
}

/** With an unknown model, what can be said without its manifest is still said. */
function checkWithoutModel(task: TaskInput, context: AppContext, problems: Problems): void {
  const textBytesMax = context.config.HEARTH_MAX_PROMPT_BYTES
  if (task.textToImage) problems.text('task.textToImage.prompt', task.textToImage.prompt, textBytesMax)
  if (task.generateText?.prompt != null)
    problems.text('task.generateText.prompt', task.generateText.prompt, textBytesMax)
  if (task.generateText?.maxTokens != null && task.generateText.maxTokens < 1)
    problems.add('task.generateText.maxTokens', `must be at least 1; given: ${task.generateText.maxTokens}.`)
  for (const [index, text] of (task.embedText?.texts ?? []).slice(0, textsLookedAtMax).entries())
    problems.text(`task.embedText.texts.${index}`, text, textBytesMax)
}

function kindOf(task: TaskInput): TaskKind {
  if (task.textToImage) return 'textToImage'
  if (task.generateText) return 'generateText'
  if (task.embedText) return 'embedText'
  if (task.classifyImage) return 'classifyImage'
  if (task.upscaleImage) return 'upscaleImage'
  if (task.infer) return 'infer'
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
