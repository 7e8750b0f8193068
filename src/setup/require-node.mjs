/**
 * First import of every entry file: refuses a machine on which the rest could not even load. Nothing newer than
 * Node 16 may be used here.
 */
const MINIMUM_MAJOR = 20
const MINIMUM_MINOR = 19
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (process.platform === 'win32') {
  refuse('Hearth does not run on Windows.', 'Run it inside WSL 2, on Linux, or on macOS.')
}
if (major < MINIMUM_MAJOR || (major === MINIMUM_MAJOR && minor < MINIMUM_MINOR)) {
  refuse(
    `Hearth's set-up needs Node.js ${MINIMUM_MAJOR}.${MINIMUM_MINOR} or newer; this is ${process.versions.node} (${process.execPath}).`,
    'Install a newer Node.js and repeat the command. (The server itself runs on a Node 24 that set-up brings along.)',
  )
}

/**
 * @param {string} what
 * @param {string} advice
 */
function refuse(what, advice) {
  process.stderr.write(`\n${what}\n${advice}\n`)
  process.exit(1)
}
