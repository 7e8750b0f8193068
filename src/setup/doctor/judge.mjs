/** All checks of the doctor, in the order in which they are shown: what must be there, what it stands on, what is running. */
import { judgeFolders } from './judge-folders.mjs'
import { judgeMachine } from './judge-machine.mjs'
import { judgePrograms } from './judge-programs.mjs'
import { judgeServer } from './judge-server.mjs'

/**
 * @param {import('./facts.mjs').Facts} facts
 * @returns {import('./finding.mjs').Finding[]}
 */
export function judge(facts) {
  return [...judgePrograms(facts), ...judgeMachine(facts), ...judgeFolders(facts), ...judgeServer(facts)]
}
