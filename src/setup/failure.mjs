/** A set-up step that could not be done, in words for the person at the terminal. */
export class SetUpFailure extends Error {
  /**
   * @param {string} what what happened, to what
   * @param {string} advice what to do about it
   * @param {{ output?: string, cause?: unknown }} [details] `output` is the end of what a failed command printed
   */
  constructor(what, advice, details = {}) {
    super(what, { cause: details.cause })
    this.name = 'SetUpFailure'
    this.advice = advice
    this.output = details.output ?? ''
  }
}

/**
 * Runs an entry file's work; a failure ends the process with status 1 and says what to do.
 * @param {() => Promise<void>} work
 */
export async function orExplain(work) {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof SetUpFailure)) throw error
    process.stderr.write(`\n${explain(error)}`)
    process.exitCode = 1
  }
}

/** @param {SetUpFailure} failure */
function explain(failure) {
  const output = failure.output === '' ? '' : `\n${indent(failure.output)}\n`
  return `Set-up stopped: ${failure.message}\n${output}\n${failure.advice}\n`
}

/** @param {string} text */
function indent(text) {
  return text.trimEnd().replaceAll(/^/gm, '    ')
}
