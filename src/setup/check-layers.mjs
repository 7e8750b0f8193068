/** Part of `npm run check`: says every import that does not point downwards. */

import { findBreaches } from './layers.mjs'
import { ROOT } from './paths.mjs'

const breaches = findBreaches(ROOT)
for (const breach of breaches) console.error(breach)
if (breaches.length > 0) process.exitCode = 1
