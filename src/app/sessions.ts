/**
 * Opening and closing sessions. Jobs of a closed session run on; it only takes no new ones. One that is opened with a model is a hint that the model will
 * be asked for, and while it is open its model stays for as long as it usually pauses.
 */
import type { SessionId } from '../scheduler/ids.ts'
import type { SessionRecord } from '../store/records.ts'
import type { OpenSessionInput } from './app.ts'
import type { AppContext } from './context.ts'
import { InvalidInput, NotFound, Overloaded } from './errors.ts'
import { orOverloaded } from './or-overloaded.ts'
import { Problems } from './validation/problems.ts'

const nameCharsMax = 200
const retryWhenFullMs = 10_000
const weightMax = 1000
const idleSecondsMax = 30 * 24 * 3600
/** Whoever opens a session with a model in mind asks for it soon. */
const firstJobWithinMs = 15_000

export async function openSession(
  context: AppContext,
  input: OpenSessionInput,
): Promise<SessionRecord | InvalidInput | NotFound | Overloaded> {
  const problems = new Problems('')
  if (input.name != null && (input.name === '' || input.name.length > nameCharsMax))
    problems.add('name', `must have 1 to ${nameCharsMax} characters; given: ${input.name.length}.`)
  if (input.name != null) problems.wellFormed('name', input.name)
  problems.number('weight', input.weight, 0, weightMax, true)
  problems.integer('idleTimeoutSeconds', input.idleTimeoutSeconds, 1, idleSecondsMax)
  if (problems.found.length > 0) return new InvalidInput(problems.found)
  const entry = input.model == null ? null : context.catalogue.resolve(input.model)
  if (input.model != null && !entry) return new NotFound('Model', input.model)
  const limit = context.config.HEARTH_SESSION_LIMIT
  if (context.sessions.count >= limit)
    return new Overloaded(
      'sessions',
      retryWhenFullMs,
      `At most ${limit} sessions may be open (HEARTH_SESSION_LIMIT); close some, or let idle ones end.`,
    )
  const now = context.clock.now()
  const session: SessionRecord = {
    id: context.ids.session(),
    name: input.name ?? null,
    class: input.priorityClass,
    weight: input.weight,
    modelId: entry?.model.id ?? null,
    idleTimeoutSeconds: input.idleTimeoutSeconds,
    createdAt: now,
    lastUsedAt: now,
    closedAt: null,
  }
  const inserted = await orOverloaded(context.store.insertSession(session))
  if (inserted) return inserted
  context.sessions.add(session)
  const versionId = entry?.spec?.versionId ?? null
  context.shell.feed({ type: 'sessionOpened', sessionId: session.id, versionId })
  if (versionId !== null)
    context.shell.feed({ type: 'hintGiven', versionId, withinMs: firstJobWithinMs, probability: 1 })
  return session
}

export async function closeSession(context: AppContext, id: SessionId): Promise<SessionRecord | NotFound | Overloaded> {
  const closed = await close(context, id)
  return closed ?? (await context.store.readSession(id)) ?? new NotFound('Session', id)
}

async function close(context: AppContext, id: SessionId): Promise<SessionRecord | Overloaded | null> {
  const closed = await orOverloaded(context.sessions.close(id, context.clock.now()))
  if (closed && !(closed instanceof Overloaded)) context.shell.feed({ type: 'sessionClosed', sessionId: id })
  return closed
}

/** Sessions that the last server left open are still open. */
export function reopenSessions({ sessions, catalogue, shell }: AppContext): void {
  for (const { id, modelId } of sessions.all()) {
    const versionId = (modelId === null ? null : catalogue.model(modelId)?.spec?.versionId) ?? null
    shell.feed({ type: 'sessionOpened', sessionId: id, versionId })
  }
}

const lookForIdleEveryMs = 5_000

/** Closes sessions that nobody used for their idle time. Ends with `signal`. */
export function watchIdleSessions(context: AppContext, signal: AbortSignal): void {
  let isClosing = false
  const closeIdle = async () => {
    if (isClosing) return
    isClosing = true
    const now = context.clock.now()
    for (const id of context.sessions.idle(now)) await close(context, id)
    isClosing = false
  }
  const timer = setInterval(() => void closeIdle(), lookForIdleEveryMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
}
