/** What the use cases work with; `main.ts` puts it together. */
import type { Config } from '../config/config.ts'
import type { JobEventLog } from '../store/job-events.ts'
import type { Store } from '../store/store.ts'
import type { Artifacts } from './artifacts.ts'
import type { Catalogue } from './catalogue.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Clock } from './clock.ts'
import type { Ids } from './ids.ts'
import type { LiveJobs } from './live-jobs.ts'
import type { ModelRegistry } from './model-registry.ts'
import type { OpenSessions } from './open-sessions.ts'
import type { Shell } from './shell.ts'
import type { ValidationCache } from './validation/validation-cache.ts'
import type { WantedModels } from './wanted-models.ts'

export interface AppContext {
  readonly config: Config
  readonly clock: Clock
  readonly store: Store
  readonly log: JobEventLog
  readonly catalogue: Catalogue
  readonly live: LiveJobs
  readonly checkpoints: Checkpoints
  readonly ids: Ids
  readonly sessions: OpenSessions
  readonly shell: Shell
  readonly wanted: WantedModels
  readonly pins: WantedModels
  readonly registry: ModelRegistry
  readonly artifacts: Artifacts
  readonly validation: ValidationCache
}
