/** Registering a model by path. What its headers say is checked before the answer; its files are read in the background when they are large. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ModelSource, readSource, type SourceProblem } from '../runtime/models/model-source.ts'
import { modelName } from '../runtime/models/slug.ts'
import type { RegisteredModel, RegisterModelInput } from './app.ts'
import type { AppContext } from './context.ts'
import { type Conflict, type FieldProblem, InvalidInput, NotFound, Overloaded } from './errors.ts'
import { locateModel } from './model-paths.ts'
import type { Origin } from './model-reader.ts'
import type { Reading } from './model-registry.ts'
import { orOverloaded } from './or-overloaded.ts'

/** The answer says that the registration stands, also over a restart; a version that is VERIFYING becomes READY or REFUSED by itself. */
export async function registerModel(
  context: AppContext,
  input: RegisterModelInput,
): Promise<RegisteredModel | InvalidInput | NotFound | Conflict | Overloaded> {
  const { registry, store, clock, config } = context
  const malformed = checkInput(input)
  if (malformed.length > 0) return new InvalidInput(malformed)
  if (context.shell.draining)
    return new Overloaded('draining', 1000, 'The server is shutting down; register the model when it is back.')
  if (!store.metrics.accepting)
    return new Overloaded('storage', 1000, `Nothing can be written just now: ${store.metrics.trouble ?? 'unknown'}.`)
  const path = await locateModel(input.path, registry.folders)
  if (typeof path !== 'string') return path
  const source = await look(path, input)
  if (source instanceof NotFound) return source
  if ('field' in source) return new InvalidInput([{ path: source.field, message: source.message }])
  if (source.problems.length > 0) return new InvalidInput([{ path: 'path', message: source.problems.join(' ') }])
  const { name } = source.manifest
  const origin: Origin = { name, path, task: input.task ?? null, isRegistered: true }
  const reading = registry.read(origin, source, input.expectedSha256 ?? null)
  if ('kind' in reading) return reading
  const entry = (await within(config.HEARTH_REGISTER_WAIT_MS, reading.done)) ?? (await reading.show())
  if ('field' in entry) return new InvalidInput([{ path: entry.field, message: entry.problem }])
  const save = async () => {
    if (registry.isFoundByItself(name)) return
    await store.saveRegistration({ name, path, task: origin.task, registeredAt: clock.now() })
  }
  // Until it is known that the content is the expected one, nothing is kept: the next start would not know what was expected.
  if (entry.version.state === 'VERIFYING' && input.expectedSha256 != null) void saveWhenGood(reading, save)
  else {
    const saved = await orOverloaded(save())
    if (saved instanceof Overloaded) return saved
  }
  // What came while the registration was written is newer.
  const { model, version } = context.catalogue.version(entry.version.id) ?? entry
  return { model, version }
}

/** Null when it takes longer. */
async function within<Result>(ms: number, work: Promise<Result>): Promise<Result | null> {
  const enough = new AbortController()
  const late = sleep(ms, null, { signal: enough.signal, ref: false })
  late.catch(() => {})
  return Promise.race([work, late]).finally(() => enough.abort())
}

/** A registration that cannot be kept has to be asked for again after a restart; it stands until then. */
async function saveWhenGood(reading: Reading, save: () => Promise<void>): Promise<void> {
  const entry = await reading.done.catch(() => null)
  if (entry !== null && !('field' in entry)) await save().catch(() => {})
}

/** As the kernel has it. */
const pathCharsMax = 4096
const taskCharsMax = 64

function checkInput({ name, path, task, expectedSha256 }: RegisterModelInput): FieldProblem[] {
  const problems: FieldProblem[] = []
  if (path.length > pathCharsMax)
    problems.push({ path: 'path', message: `has ${path.length} characters; a path has at most ${pathCharsMax}.` })
  if (task != null && (task === '' || task.length > taskCharsMax))
    problems.push({
      path: 'task',
      message: 'must be a kind of task, e.g. infer; leave it out for what the model does.',
    })
  if (name != null && !modelName.test(name))
    problems.push({
      path: 'name',
      message: `must match [a-z0-9][a-z0-9._-]{0,63}; given: ${JSON.stringify(name.slice(0, 100))}.`,
    })
  if (expectedSha256 != null && !/^[0-9a-f]{64}$/.test(expectedSha256))
    problems.push({ path: 'expectedSha256', message: 'must be 64 lower-case hex digits, as sha256sum prints them.' })
  return problems
}

async function look(
  path: string,
  { name, task, path: given }: RegisterModelInput,
): Promise<ModelSource | SourceProblem | NotFound> {
  try {
    return await readSource(path, { name: name ?? null, task: task ?? null })
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (isGone) return new NotFound('Model file', given, `There is no file or folder ${given}.`)
    return {
      field: 'path',
      message: `${given} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    }
  }
}
