/** What the doctor says at the end: a line for each finding, what to do below those that need it, and a count. */

const CHECK_WIDTH = 16

/**
 * @param {import('./finding.mjs').Finding[]} findings
 * @returns {string}
 */
export function report(findings) {
  const lines = findings.flatMap(({ check, level, message, mend }) => [
    `${level.padEnd(4)}  ${check.padEnd(CHECK_WIDTH)} ${message}`,
    ...(mend === null ? [] : [`${' '.repeat(6 + CHECK_WIDTH)} -> ${mend}`]),
  ])
  return `${lines.join('\n')}\n\n${summary(findings)}\n`
}

/** @param {import('./finding.mjs').Finding[]} findings */
function summary(findings) {
  const count = (/** @type {import('./finding.mjs').Level} */ wanted) =>
    findings.filter(({ level }) => level === wanted).length
  const [warnings, failures] = [count('WARN'), count('FAIL')]
  if (failures > 0)
    return `${failures} failed, ${warnings} to look at: Hearth will not work here before what failed is mended.`
  return warnings > 0 ? `Nothing failed, ${warnings} to look at: Hearth works here.` : 'Hearth works here.'
}
