/** Takes the pinned Node's place at the terminal: its input, its output, its signals, its ending. */
import { spawn } from 'node:child_process'
import { pinnedNode } from './pinned-node.mjs'

const FORWARDED_SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])

/** npm forwards a signal that the terminal has sent to everyone already; a person's second one comes later. */
const ECHO_MS = 500

/**
 * Runs the pinned Node with `args` until it ends, and makes this process end in the same way.
 * @param {string[]} args
 */
export async function runPinned(args) {
  const child = spawn(pinnedNode(), args, { stdio: 'inherit' })
  const stopForwarding = forwardSignals(child)
  const { code, signal } = await endOf(child)
  stopForwarding()
  if (signal !== null) process.kill(process.pid, signal)
  else process.exitCode = code ?? 1
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => void} stops
 */
function forwardSignals(child) {
  /** @type {Map<NodeJS.Signals, number>} */
  const sentAt = new Map()
  /** @param {NodeJS.Signals} signal */
  function forward(signal) {
    const now = performance.now()
    if (now - (sentAt.get(signal) ?? Number.NEGATIVE_INFINITY) < ECHO_MS) return
    sentAt.set(signal, now)
    // On a terminal, Ctrl-C and Ctrl-\ reach the child directly.
    const sentByTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT')
    if (!sentByTerminal) child.kill(signal)
  }
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward)
  return () => {
    for (const signal of FORWARDED_SIGNALS) process.off(signal, forward)
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
function endOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}
