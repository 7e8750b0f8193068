/** Lists of jobs: their filter, their connection, and the page that any list of jobs is. */
import type { JobRecord, TaskKind } from '../src/store/records.ts'
import type { JobFilter as StoreFilter } from '../src/store/store.ts'
import { builder } from './builder.ts'
import { connectionRef, type Page, type PageArguments, readPage } from './connection.ts'
import type { RequestContext } from './context.ts'
import { encodeCursor } from './cursor.ts'
import { decodeIdIfGiven } from './ids.ts'
import { JobState } from './job-state.ts'
import { Job } from './nouns.ts'
import { PriorityClass } from './priority-class.ts'
import { badUserInput } from './request-error.ts'

interface Changes {
  readonly changesCursor: string
}
export const JobConnection = connectionRef<JobRecord, Changes>('Job', Job)
builder.objectField(JobConnection, 'changesCursor', (t) =>
  t.exposeString('changesCursor', { description: '`after` of jobChanges: no gap between this page and the stream.' }),
)

export const JobFilter = builder.inputType('JobFilter', {
  fields: (t) => ({
    sessionId: t.id(),
    states: t.field({ type: [JobState] }),
    priorityClass: t.field({ type: PriorityClass }),
    model: t.string({ description: 'By name, whatever the version.' }),
    task: t.string(),
    createdAfter: t.field({ type: 'DateTime' }),
    createdBefore: t.field({ type: 'DateTime' }),
  }),
})
type FilterInput = typeof JobFilter.$inferInput

/** `within`: the jobs of one session or model, whatever the filter says. */
export async function pageOfJobs(
  args: PageArguments & { readonly filter?: FilterInput | null | undefined },
  within: StoreFilter,
  context: RequestContext,
): Promise<Page<JobRecord> & Changes> {
  const { app } = context
  const changesCursor = encodeCursor('change', app.changesCursor())
  const asked = await readJobFilter(args.filter, context)
  const filter = asked && intersection(asked, within)
  const page = await readPage(args, {
    cursors: 'job',
    read: async (request) => (filter ? app.jobs(filter, request) : []),
    position: (job) => job.id,
    count: async () => (filter ? app.countJobs(filter) : 0),
  })
  return { ...page, changesCursor }
}

/** Null when nothing can match: a model or task that nobody knows. */
export async function readJobFilter(
  input: FilterInput | null | undefined,
  { app }: RequestContext,
): Promise<StoreFilter | null> {
  if (!input) return {}
  const sessionId = decodeIdIfGiven('Session', input.sessionId)
  if (sessionId === null) throw badUserInput('filter.sessionId', 'this is not the id of a session.')
  if (input.model?.includes('@'))
    throw badUserInput('filter.model', 'give the bare name; versions are not told apart here.')
  const model = typeof input.model === 'string' ? await app.model(input.model) : undefined
  const task = input.task ?? undefined
  if (model === null || (task !== undefined && !isTaskKind(task))) return null
  return {
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(input.states ? { states: input.states } : {}),
    ...(input.priorityClass ? { class: input.priorityClass } : {}),
    ...(model ? { modelId: model.id } : {}),
    ...(task === undefined ? {} : { taskKind: task }),
    ...(typeof input.createdAfter === 'number' ? { createdAfter: input.createdAfter } : {}),
    ...(typeof input.createdBefore === 'number' ? { createdBefore: input.createdBefore } : {}),
  }
}

const taskKinds: Record<TaskKind, true> = {
  textToImage: true,
  generateText: true,
  embedText: true,
  classifyImage: true,
  upscaleImage: true,
  infer: true,
  program: true,
}

function isTaskKind(task: string): task is TaskKind {
  return Object.hasOwn(taskKinds, task)
}

/** Null when the two contradict each other. */
function intersection(asked: StoreFilter, within: StoreFilter): StoreFilter | null {
  const both = { ...asked, ...within }
  const isSame =
    both.sessionId === (asked.sessionId ?? both.sessionId) && both.modelId === (asked.modelId ?? both.modelId)
  return isSame ? both : null
}
