/**
 * The Node that runs everything but set-up: version 24, an npm package, so that the lock file pins it.
 * Why: docs/decisions/0001-pinned-node.md.
 */
import { existsSync } from 'node:fs'
import { SetUpFailure } from './failure.mjs'
import { fromRoot } from './paths.mjs'

const PINNED_MAJOR = 24

/** Path of the pinned Node. Where none is locked for the platform, this process's own Node if it is new enough. */
export function pinnedNode() {
  const packaged = fromRoot('node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(packaged)) return packaged
  if (Number.parseInt(process.versions.node, 10) >= PINNED_MAJOR) return process.execPath
  throw new SetUpFailure(
    `Node ${PINNED_MAJOR} is missing: ${packaged} does not exist.`,
    process.platform === 'linux'
      ? 'Run `npm run setup`. If it does not help: is npm configured to omit optional packages?'
      : `Hearth brings none along for this platform: run the command with Node ${PINNED_MAJOR} or newer.`,
  )
}
