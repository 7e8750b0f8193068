/** Every setting of the server, read once at start. `.env.example` is generated from this schema; a test keeps them equal. */
import { z } from 'zod'

const port = z.coerce.number().int().min(0).max(65_535)
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)
const days = z.coerce.number().min(0)
const share = z.coerce.number().min(0).max(1)
/** Of memory; from nothing on, everything would be short of it. */
const pressure = z.coerce.number().min(0.01).max(1)
/** Before that no step is taken for hung. */
export const stepMsLeast = 2000
const count = (minimum: number) => z.coerce.number().int().min(minimum)

/** A task's admission, request and all, has to fit one frame's share of 16 MiB. */
const valuesBytesMax = 12 * 1024 * 1024

/** Mechanisms that can be switched off, to measure what they bring. */
export const mechanisms = ['validation-cache', 'slabs', 'adaptive-chunks', 'pipelining', 'joined-reports'] as const

/** As the scheduler names them. */
export const routings = [
  'ect',
  'round-robin',
  'wrr',
  'least-loaded',
  'affinity',
  'capacity',
  'performance',
  'complexity',
  'adaptive',
] as const
export const evictions = ['lru', 'lfu', 'gdsf', 'multi-rate', 'decayed-value', 'hedge'] as const

export const settings = z.object({
  HEARTH_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address to listen on. Anything but loopback is refused: this version has no credentials.'),
  HEARTH_PORT: port.default(4000).describe('Port to listen on; 0 = any free one.'),
  HEARTH_DATA_DIR: z.string().default('./data').describe('Database, lock and caches; one server per folder.'),
  HEARTH_MODEL_PATHS: list
    .default(['./models'])
    .describe(
      'Folders whose sub-folders hold models (model.json and weights), separated by commas. Models are registered from below them only.',
    ),
  HEARTH_MODEL_LIMIT: count(1).default(1000).describe('Most models that may be known at once.'),
  HEARTH_MODEL_CHECK_MS: count(10)
    .default(2000)
    .describe('How often the files of all models are looked at for changes, milliseconds.'),
  HEARTH_REGISTER_WAIT_MS: count(0)
    .default(2000)
    .describe('How long registerModel waits for the files to be read before it answers VERIFYING, milliseconds.'),
  HEARTH_PROGRAM_PATHS: list
    .default([])
    .describe(
      'Folders whose sub-folders hold programs of your own (NAME/program.py), separated by commas. Their code runs in the workers.',
    ),
  HEARTH_PROGRAM_RELOAD: z
    .enum(['on', 'off'])
    .default('off')
    .describe('on = a program.py that has changed is imported again before the next task. For development.'),
  HEARTH_DEVICES: z
    .string()
    .default('')
    .describe(
      'JSON file that declares devices, e.g. several CPU devices with core sets and budgets. Empty = one device with all cores.',
    ),
  HEARTH_ALLOWED_ORIGINS: list
    .default([])
    .describe(
      'Origins besides loopback that browsers may call from, separated by commas, e.g. https://studio.example.',
    ),
  HEARTH_ALLOWED_HOSTS: list
    .default([])
    .describe('Host headers besides loopback names that are answered, separated by commas.'),
  HEARTH_WORKER_PYTHON: z
    .string()
    .default('')
    .describe('Python interpreter of the workers. Empty = the virtual environment that set-up made.'),
  HEARTH_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least level that is logged (to standard error, one JSON object a line).'),
  HEARTH_GRAPHIQL: z.enum(['on', 'off']).default('on').describe('GraphiQL at GET /graphql in a browser.'),
  HEARTH_MAX_BODY_BYTES: count(1024)
    .default(8 * 1024 * 1024)
    .describe('Largest request body and WebSocket frame, bytes.'),
  HEARTH_MAX_PROMPT_BYTES: count(1)
    .default(1024 * 1024)
    .describe('Largest prompt or text, UTF-8 bytes.'),
  HEARTH_MAX_VALUES_BYTES: count(1)
    .max(valuesBytesMax)
    .default(8 * 1024 * 1024)
    .describe('Most bytes of all input tensors of a request that are given as values; larger ones are uploaded.'),
  HEARTH_MAX_TENSOR_BYTES: count(1)
    .default(1024 ** 3)
    .describe('Largest input tensor, bytes; of texts, most elements.'),
  HEARTH_INLINE_TENSOR_BYTES: count(0)
    .max(1024 * 1024)
    .default(32 * 1024)
    .describe('Largest output tensor that comes as values, bytes; larger ones come as artifacts.'),
  HEARTH_VALIDATION_CACHE_ENTRIES: count(1).default(10_000).describe('Shapes of requests whose check is remembered.'),
  HEARTH_VALIDATION_CACHE_MS: count(1)
    .default(3_600_000)
    .describe('How long the check of a shape is remembered, milliseconds.'),
  HEARTH_MAX_QUERY_TOKENS: count(100).default(4000).describe('Most tokens in one GraphQL document.'),
  HEARTH_MAX_QUERY_DEPTH: count(3).default(16).describe('Deepest nesting of one GraphQL operation.'),
  HEARTH_MAX_QUERY_COST: count(100)
    .default(200_000)
    .describe('Highest cost of one GraphQL operation (fields, multiplied by page sizes).'),
  HEARTH_MAX_SUBSCRIPTIONS_PER_SOCKET: count(1).default(1000).describe('Most operations in flight on one WebSocket.'),
  HEARTH_MAX_CONNECTIONS: count(1).default(4096).describe('Most open connections, HTTP and WebSocket together.'),
  HEARTH_HEADERS_TIMEOUT_MS: count(100)
    .default(10_000)
    .describe('How long a connection may take to send the headers of a request, milliseconds.'),
  HEARTH_KEEP_ALIVE_MS: count(100)
    .default(12_000)
    .describe('How often an open stream or WebSocket is checked for life, milliseconds.'),
  HEARTH_STALLED_CLIENT_MS: count(100)
    .default(30_000)
    .describe('How long the reader of an event stream may take nothing before it is let go, milliseconds.'),
  HEARTH_SESSION_LIMIT: count(1).default(10_000).describe('Most sessions that may be open.'),
  HEARTH_QUEUE_LIMIT: count(1).default(100_000).describe('Most jobs that may wait or run.'),
  HEARTH_WRITE_QUEUE_LIMIT: count(100)
    .default(20_000)
    .describe('Most database operations that may wait for their commit before submissions are refused.'),
  HEARTH_PUBLIC_URL: z
    .string()
    .transform((url) => url.replace(/\/+$/, ''))
    .refine((url) => url === '' || /^https?:\/\/[^/?#]+(\/[^?#]*)?$/.test(url), 'must be like https://hearth.example')
    .default('')
    .describe('Where callers reach this server, for addresses in its answers. Empty = the address it listens on.'),
  HEARTH_ARTIFACT_URL_SECONDS: count(1).default(3600).describe('How long an address of an artifact is good, seconds.'),
  HEARTH_MAX_ARTIFACT_BYTES: count(1)
    .default(4 * 1024 ** 3)
    .describe('Largest file that a job may give, bytes.'),
  HEARTH_MAX_UPLOAD_BYTES: count(1)
    .default(2 * 1024 ** 3)
    .describe('Largest file that may be uploaded, bytes.'),
  HEARTH_MAX_UPLOADS: count(1).default(16).describe('Most uploads at the same time; more are asked to come back.'),
  HEARTH_UPLOAD_TYPES: list
    .default([
      'image/png',
      'image/jpeg',
      'image/webp',
      'image/gif',
      'image/bmp',
      'application/octet-stream',
      'application/vnd.hearth.tensor',
      'application/x-npy',
      'application/json',
      'text/plain',
      'text/csv',
    ])
    .describe('Media types that may be uploaded, separated by commas.'),
  HEARTH_MAX_IMAGE_PIXELS: count(1).default(64_000_000).describe('Largest picture that is taken, width times height.'),
  HEARTH_PICTURE_FORMAT: z.enum(['png', 'webp']).default('png').describe('Format of the pictures that jobs make.'),
  HEARTH_SAFETY_POLICY: z
    .enum(['off', 'flag', 'block'])
    .default('block')
    .describe(
      'What becomes of unsafe pictures: block = withheld, flag = given with the verdict, off = nothing is checked. A job keeps what it was accepted under.',
    ),
  HEARTH_JOB_RETENTION_DAYS: days.default(30).describe('How long finished jobs are kept, days.'),
  HEARTH_DATABASE_LIMIT_BYTES: count(1024 * 1024)
    .default(4 * 1024 ** 3)
    .describe('When the database holds more, the oldest finished jobs go before their time, bytes.'),
  HEARTH_ARTIFACT_RETENTION_DAYS: days.default(7).describe('How long artifacts are kept after their last use, days.'),
  HEARTH_ARTIFACT_LIMIT_BYTES: count(0)
    .default(10_000_000_000)
    .describe('When artifacts take more, those used longest ago go before their time, bytes.'),
  HEARTH_HISTORY_DAYS: days.default(30).describe('How long decisions and closed allocations are kept, days.'),
  HEARTH_HISTORY_ROWS: count(0)
    .default(100_000)
    .describe('Most decisions, and most closed allocations, that are kept; the oldest go first.'),
  HEARTH_RETENTION_INTERVAL_MS: count(100)
    .default(60_000)
    .describe('How often it is looked for what may be deleted, milliseconds.'),
  HEARTH_DISK_RESERVE_BYTES: count(0)
    .default(256 * 1024 ** 2)
    .describe('With less than this free on the disk of the data folder, submissions and uploads are refused, bytes.'),
  HEARTH_ROUTING: z
    .enum(routings)
    .default('ect')
    .describe(
      `Who chooses the device of a job: ${routings.join(', ')}. ect = where it is done first, loads and what they push out included, decided when a place is free.`,
    ),
  HEARTH_QUEUE_ORDER: z
    .enum(['residency', 'arrival'])
    .default('residency')
    .describe(
      'residency = jobs of models that are loaded may go before others, within HEARTH_OVERTAKING_LIMIT; arrival = strictly first come, first served.',
    ),
  HEARTH_OVERTAKING_LIMIT: count(0)
    .default(64)
    .describe('Jobs of loaded models that may go before one whose model is not, until that is loaded next.'),
  HEARTH_EVICTION: z
    .enum(evictions)
    .default('hedge')
    .describe(
      `Which idle model leaves when another needs its memory: ${evictions.join(', ')}. hedge = a mixture that follows whichever has done best.`,
    ),
  HEARTH_MINIMUM_RESIDENCE_LOADS: z.coerce
    .number()
    .min(0)
    .default(1)
    .describe('How long a model stays at least, in times that its load took.'),
  HEARTH_SESSION_GRACE_MS: count(0)
    .default(30_000)
    .describe('How long at most the model of an open session is kept between its jobs, milliseconds.'),
  HEARTH_INTERACTIVE_HOLD_MS: count(0)
    .default(3_600_000)
    .describe('How long batch work may not push out a model that interactive work has used, milliseconds.'),
  HEARTH_BATCHING: z
    .enum(['learnt', 'fixed'])
    .default('learnt')
    .describe('How many tasks share a step: learnt = what is measured to pay, fixed = what the manifests say.'),
  HEARTH_INTERACTIVE_DEVICE_SHARE: share
    .default(0)
    .describe('Share of the devices that take interactive work only, 0 to 1; batch work always keeps one.'),
  HEARTH_PREEMPTION_LIMIT: count(0)
    .default(5)
    .describe('How often a batch job may be paused to make room for interactive work; 0 = never.'),
  HEARTH_BATCH_AGEING_MS: count(0)
    .default(60_000)
    .describe('After so long a model that batch work waits for is loaded as if interactive work did, milliseconds.'),
  HEARTH_PRESSURE_TIGHT: pressure
    .default(0.85)
    .describe('Share of the memory of a device in use from which it is short: batch work loads nothing more there.'),
  HEARTH_PRESSURE_CRITICAL: pressure
    .default(0.95)
    .describe('Share from which it is critically short: nothing is loaded there, and batch work pauses.'),
  HEARTH_STEP_MS_MAX: count(stepMsLeast)
    .default(600_000)
    .describe(
      'A worker whose step computes longer is taken for hung, milliseconds; once learnt, a few times the usual is enough.',
    ),
  HEARTH_MIGRATION_INTERVAL_MS: count(0)
    .default(10_000)
    .describe('How often models that are much used are moved to faster devices, milliseconds; 0 = never.'),
  HEARTH_RECYCLE_AFTER_TASKS: count(1)
    .default(1000)
    .describe('Tasks after which a worker whose memory grows hands over to a fresh one.'),
  HEARTH_RECYCLE_AT_LATEST: count(1)
    .default(100_000)
    .describe('Tasks after which a worker hands over to a fresh one in any case.'),
  HEARTH_JOB_ATTEMPTS: count(1).default(5).describe('Attempts of a job before it fails; server restarts do not count.'),
  HEARTH_QUARANTINE_DEATHS: count(1)
    .default(2)
    .describe('Worker deaths that a job causes alone before it is quarantined.'),
  HEARTH_CHECKPOINT_STEPS: count(0)
    .default(5)
    .describe('Steps between two checkpoints of a task, from which it goes on when its worker is lost; 0 = none.'),
  HEARTH_INFERENCE_SHARE: share
    .default(0.3)
    .describe(
      "Share of a worker's time that inference gets at least while postprocessing (checks, upscaling, writing) has work too, 0 to 1.",
    ),
  HEARTH_WARM_SPARES: count(0).default(1).describe('Workers kept started without a model, per engine.'),
  HEARTH_THREADS_PER_WORKER: count(0)
    .default(0)
    .describe('Compute threads of a worker; 0 = the cores of its device, at most 4.'),
  HEARTH_LOAD_BUFFER_BYTES: count(1024 * 1024)
    .default(256 * 1024 * 1024)
    .describe('Most memory that a worker reads weights through which its engine cannot map, bytes.'),
  HEARTH_SHARED_MEMORY_DIR: z
    .string()
    .default('/dev/shm')
    .describe(
      'Folder in shared memory, for large tensors from workers. Where it is missing or small they go in chunks.',
    ),
  HEARTH_TENSOR_POOL_BYTES: count(0)
    .default(256 * 1024 * 1024)
    .describe('Most shared memory for tensors, bytes; never more than half of what is free at the start. 0 = none.'),
  HEARTH_WITHOUT: list
    .pipe(z.array(z.enum(mechanisms)))
    .default([])
    .describe(`Mechanisms to switch off, to measure what they bring, separated by commas: ${mechanisms.join(', ')}.`),
  HEARTH_SHUTDOWN_GRACE_MS: count(0)
    .default(10_000)
    .describe('How long running work may go on after SIGTERM, milliseconds.'),
  HEARTH_RECORD: z
    .string()
    .default('')
    .describe("File to which the scheduler's events and commands are recorded, for replay. Empty = none."),
})
export type Config = z.infer<typeof settings>

/** Throws an error that names every wrong variable. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => name.startsWith('HEARTH_') && value !== '' && value !== undefined,
    ),
  )
  const result = settings.safeParse(given)
  const problems = result.success
    ? contradictions(result.data)
    : result.error.issues.map(
        (issue) => `${issue.path.join('.')}: ${issue.message} (given: ${JSON.stringify(given[String(issue.path[0])])})`,
      )
  if (result.success && problems.length === 0) return result.data
  throw new Error(`These settings are not valid:\n  ${problems.join('\n  ')}`)
}

/** What is well by itself and makes no sense together. */
function contradictions(config: Config): string[] {
  const { HEARTH_PRESSURE_TIGHT: tight, HEARTH_PRESSURE_CRITICAL: critical } = config
  const { HEARTH_RECYCLE_AFTER_TASKS: recycleAfter, HEARTH_RECYCLE_AT_LATEST: recycleAtLatest } = config
  const problems: string[] = []
  if (critical <= tight)
    problems.push(`HEARTH_PRESSURE_CRITICAL: must be above HEARTH_PRESSURE_TIGHT (given: ${critical} and ${tight})`)
  if (recycleAtLatest < recycleAfter)
    problems.push(
      `HEARTH_RECYCLE_AT_LATEST: must be at least HEARTH_RECYCLE_AFTER_TASKS (given: ${recycleAtLatest} and ${recycleAfter})`,
    )
  return problems
}

/** Read before the server starts, by set-up. */
const setUpSettings = ['HEARTH_PYTHON']

/** Names that look like settings and are none, as a typing error would leave them. */
export function unknownSettings(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set([...Object.keys(settings.shape), ...setUpSettings])
  return Object.keys(environment).filter((name) => name.startsWith('HEARTH_') && !known.has(name))
}
