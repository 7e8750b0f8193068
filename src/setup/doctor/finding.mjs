/** What a check of the doctor found. FAIL: Hearth will not work like this. WARN: it works, with less than it could or with a risk. */

/** @typedef {'OK' | 'WARN' | 'FAIL'} Level */
/** @typedef {{ check: string, level: Level, message: string, mend: string | null }} Finding */

/**
 * @param {string} check what was looked at: "Python"
 * @param {string} message what was found, and what it means
 * @returns {Finding}
 */
export function ok(check, message) {
  return { check, level: 'OK', message, mend: null }
}

/**
 * @param {string} check
 * @param {string} message
 * @param {string} mend what to do, with the command to type where there is one
 * @returns {Finding}
 */
export function warn(check, message, mend) {
  return { check, level: 'WARN', message, mend }
}

/**
 * @param {string} check
 * @param {string} message
 * @param {string} mend
 * @returns {Finding}
 */
export function fail(check, message, mend) {
  return { check, level: 'FAIL', message, mend }
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes >= 1024 ** 3) return `${(bytes / 1024 ** 3).toFixed(1)} GiB`
  if (bytes >= 1024 ** 2) return `${Math.floor(bytes / 1024 ** 2)} MiB`
  return `${Math.floor(bytes / 1024)} KiB`
}
