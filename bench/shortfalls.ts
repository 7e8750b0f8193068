/** Why a figure falls short of its goal, by its id; the report prints it only while it does. */
export const shortfalls: Readonly<Record<string, string>> = {
  'noop.concurrent.events':
    'A job costs 0.28 to 0.35 ms of the one core: about 0.23 main thread (a seventh of it the hand-over to the writer thread, a tenth garbage collection, a tenth socket writes), 0.08 writer. The goal is 0.33, so what else runs on the machine decides. Over one jobChanges instead of a subscription for each job it is reached with room.',
  'text.one.ratio':
    'Within the noise of the pairs, which reach from 0.89 to 1.04; an earlier series on this machine gave 1.02. Counted in processor time, all that Hearth adds outside the engine is 2.3 to 3.4 %. The worker reads prompts in batches of 128 tokens, so that a text can be cancelled while its prompt is read, which costs the engine about a tenth of that part.',
  'text.first.added':
    'The durable submission costs 1.5 ms, the rest is the prompt read in batches of 128 tokens (so that it can be cancelled) and the noise of the pairs, which reach from -27 to 29 ms; an earlier series gave -4 ms.',
}
