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
 * Runs an entry file's work; a failure, or each of several, is explained, and the process ends with status 1.
 * @param {() => Promise<void>} work
 */
export async function orExplain(work) {
  try {
    await work()
  } catch (error) {
    for (const failure of error instanceof AggregateError ? error.errors : [error]) {
      if (!(failure instanceof SetUpFailure)) throw failure
      process.stderr.write(`\n${explain(failure)}`)
    }
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
