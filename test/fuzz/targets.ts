import type { Target } from './target.ts'
import { conversationTargets } from './targets/conversations.ts'
import { frameTargets } from './targets/frames.ts'
import { modelFileTargets } from './targets/model-files.ts'
import { pictureTargets } from './targets/pictures.ts'
import { requestTargets } from './targets/requests.ts'
import { taskTargets } from './targets/tasks.ts'

/** Everything that is fuzzed on this side; the worker's side is python_runtime/tests/fuzz. */
export const targets: readonly Target[] = [
  ...frameTargets,
  ...conversationTargets,
  ...modelFileTargets,
  ...pictureTargets,
  ...requestTargets,
  ...taskTargets,
]
