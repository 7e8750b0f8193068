/** Platform, Node, npm, Python, set-up, settings. */
import { fail, ok, warn } from './finding.mjs'

/** Older ones lack what the pinned Node and the packages of the workers were linked against. */
const GLIBC_MIN = [2, 28]
const NODE_MIN = [20, 19]
const NAME_DISTANCE_MAX = 4

/**
 * @param {Pick<import('./facts.mjs').Facts, 'programs' | 'settings'>} facts
 * @returns {import('./finding.mjs').Finding[]}
 */
export function judgePrograms({ programs, settings }) {
  return [
    judgePlatform(programs),
    ...judgeLibrary(programs),
    judgeNode(programs),
    judgeNpm(programs),
    judgePython(programs),
    ...judgeSetUp(programs),
    ...judgeSettings(programs, settings),
  ]
}

/** @typedef {import('./read-programs.mjs').Programs} Programs */

/** @param {Programs} programs */
function judgePlatform({ platform, architecture }) {
  const name = `${platform} on ${architecture}`
  if (platform === 'linux') {
    if (architecture === 'x64' || architecture === 'arm64') return ok('platform', `${name}: everything works.`)
    return fail('platform', `${name}: there are no packages for this processor.`, 'Use a machine with x64 or arm64.')
  }
  if (platform === 'darwin') {
    const lacks = 'without shared memory, core affinity and exact memory accounting'
    return warn('platform', `${name}: Hearth runs ${lacks}.`, 'For these, run it on Linux.')
  }
  return fail('platform', `Hearth does not run on ${name}.`, 'Run it inside WSL 2, on Linux, or on macOS.')
}

/** @param {Programs} programs */
function judgeLibrary({ platform, glibc }) {
  if (platform !== 'linux') return []
  const needed = GLIBC_MIN.join('.')
  const mend = `Use a distribution with glibc ${needed} or newer, such as Debian 12 or Ubuntu 22.04; Alpine has another library.`
  if (glibc === null)
    return [fail('glibc', `This system's C library is not glibc; the packages are built for it.`, mend)]
  if (isOlder(glibc, GLIBC_MIN)) return [fail('glibc', `glibc ${glibc} is older than ${needed}.`, mend)]
  return [ok('glibc', glibc)]
}

/** @param {Programs} programs */
function judgeNode({ node }) {
  const needed = NODE_MIN.join('.')
  if (!isOlder(node, NODE_MIN)) return ok('Node', `${node} can set Hearth up; the server runs on a Node of its own.`)
  return fail('Node', `${node} is older than ${needed}.`, 'Install a newer one: https://nodejs.org')
}

/** @param {Programs} programs */
function judgeNpm({ npm, isSetUp }) {
  if (npm !== null) return ok('npm', npm)
  const mend = 'Install npm (it comes with Node; on Debian and Ubuntu: apt install npm).'
  if (isSetUp['node packages'])
    return warn('npm', 'It cannot be run; the packages are there, but could not be brought again.', mend)
  return fail('npm', 'It cannot be run, and the packages are not there yet.', mend)
}

/** @param {Programs} programs */
function judgePython({ python, isSetUp }) {
  if ('version' in python) return ok('Python', `${python.version} with venv (${python.path})`)
  const mend =
    'Install Python 3.11 or newer with venv (Debian, Ubuntu: apt install python3 python3-venv), or name one: HEARTH_PYTHON=/path/to/python3'
  const message = python.refusal.replaceAll(/\s*\n\s*/g, '; ')
  return isSetUp['Python environment'] ? warn('Python', message, mend) : fail('Python', message, mend)
}

/** @param {Programs} programs */
function judgeSetUp({ isSetUp, brokenNode, brokenPython }) {
  const missing = Object.entries(isSetUp).flatMap(([name, isReady]) => (isReady ? [] : [name]))
  const findings = []
  if (missing.length > 0)
    findings.push(
      warn('set-up', `Not there or not current: ${missing.join(', ')}.`, 'npm run setup (npm start does it too)'),
    )
  if (brokenNode !== null)
    findings.push(
      fail('set-up', `The server's Node does not run: ${brokenNode}`, 'rm -rf node_modules && npm run setup'),
    )
  // Python that set-up has not finished is set-up's to mend, and was told above.
  if (brokenPython !== null && isSetUp['Python environment'])
    findings.push(fail('set-up', `The workers' Python does not run: ${brokenPython}`, 'rm -rf .venv && npm run setup'))
  return findings.length > 0
    ? findings
    : [ok('set-up', 'Node packages, Python environment and starter models are in place.')]
}

/**
 * @param {Programs} programs
 * @param {import('./settings.mjs').Settings} settings
 */
function judgeSettings({ wrongSettings }, { unknown, names }) {
  if (wrongSettings !== null)
    return [
      fail(
        'settings',
        wrongSettings.replaceAll(/\s*\n\s*/g, ' '),
        'Correct them; .env.example lists every setting with its default.',
      ),
    ]
  if (unknown.length === 0) return [ok('settings', 'Every HEARTH_ variable is a setting.')]
  return unknown.map((name) => {
    const meant = nearest(name, names)
    return warn(
      'settings',
      `${name} is no setting and has no effect.`,
      meant === null ? `unset ${name}` : `Is ${meant} meant?`,
    )
  })
}

/**
 * The name that takes the fewest letters to change into.
 * @param {string} name
 * @param {string[]} names
 * @returns {string | null}
 */
function nearest(name, names) {
  const [best] = names
    .map((known) => ({ known, distance: distanceBetween(name, known) }))
    .sort((a, b) => a.distance - b.distance)
  return best !== undefined && best.distance <= NAME_DISTANCE_MAX ? best.known : null
}

/**
 * Levenshtein's.
 * @param {string} from
 * @param {string} to
 * @returns {number}
 */
function distanceBetween(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}

/**
 * @param {string} version
 * @param {number[]} than
 */
function isOlder(version, [major = 0, minor = 0]) {
  const [itsMajor = 0, itsMinor = 0] = version.split('.').map(Number)
  return itsMajor < major || (itsMajor === major && itsMinor < minor)
}
